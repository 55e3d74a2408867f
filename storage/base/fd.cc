#include "storage/base/fd.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "storage/base/posix_error.h"

namespace mendel {

namespace {

template <typename Call>
auto until_not_interrupted(Call call) {
  decltype(call()) result;
  do {
    result = call();
  } while (result < 0 && errno == EINTR);
  return result;
}

}  // namespace

Fd& Fd::operator=(Fd&& other) noexcept {
  std::swap(number_, other.number_);
  return *this;
}

Fd::~Fd() {
  if (number_ >= 0) ::close(number_);
}

Fd open_file(const std::string& path, int flags, mode_t mode) {
  Fd file(
      until_not_interrupted([&] { return ::open(path.c_str(), flags | O_CLOEXEC, mode); }));
  if (!file) throw_posix_error("open", path, errno);
  return file;
}

std::size_t read_at(const Fd& file, const std::string& path, std::uint64_t offset,
                    std::span<std::byte> buffer) {
  std::size_t count = 0;
  while (count < buffer.size()) {
    const ssize_t got = until_not_interrupted([&] {
      return ::pread(file.get(), buffer.data() + count, buffer.size() - count,
                     static_cast<off_t>(offset + count));
    });
    if (got < 0) throw_posix_error("read", path, errno);
    if (got == 0) break;
    count += static_cast<std::size_t>(got);
  }
  return count;
}

void write_all(const Fd& file, const std::string& path, std::span<const std::byte> data) {
  while (!data.empty()) {
    const ssize_t put = until_not_interrupted(
        [&] { return ::write(file.get(), data.data(), data.size()); });
    if (put < 0) throw_posix_error("write", path, errno);
    data = data.subspan(static_cast<std::size_t>(put));
  }
}

void sync_file(const Fd& file, const std::string& path) {
  if (until_not_interrupted([&] { return ::fsync(file.get()); }) != 0) {
    throw_posix_error("sync", path, errno);
  }
}

void sync_directory(const std::string& path) {
  sync_file(open_file(path, O_RDONLY | O_DIRECTORY, 0), path);
}

}  // namespace mendel
