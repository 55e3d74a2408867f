#include "cli/local_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>

#include "storage/base/digest.h"
#include "storage/base/posix_error.h"

namespace mendel::cli {

namespace {

std::int64_t nanoseconds(const timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

FileStamp stamp_of(const struct stat& status) {
  return {std::uint64_t(status.st_size), nanoseconds(status.st_mtim),
          nanoseconds(status.st_ctim), status.st_ino};
}

std::int64_t now_ns() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

FileStamp stamp_of(const Fd& file, std::string_view path) {
  struct stat status;
  if (::fstat(file.get(), &status) != 0) throw_posix_error("look at", path, errno);
  return stamp_of(status);
}

Fd open_for_reading(const std::filesystem::path& path) {
  Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) throw_posix_error("open", path.string(), errno);
  return file;
}

std::optional<std::string> find_text(const std::filesystem::path& path) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file && (errno == ENOENT || errno == ENOTDIR)) return std::nullopt;
  if (!file) throw_posix_error("open", path.string(), errno);
  return read_text(file, path.string());
}

std::string read_text(const Fd& file, std::string_view path) {
  std::string text;
  char buffer[64 * 1024];
  for (;;) {
    const ::ssize_t count = ::read(file.get(), buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw_posix_error("read", path, errno);
    if (count == 0) return text;
    text.append(buffer, std::size_t(count));
  }
}

void replace_text(const std::filesystem::path& path, std::string_view text, ::mode_t mode) {
  std::string temporary = path.string() + ".XXXXXX";
  const Fd file(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!file) throw_posix_error("create", temporary, errno);
  try {
    if (::fchmod(file.get(), mode) != 0) throw_posix_error("protect", temporary, errno);
    write_all(file, temporary, as_bytes(text));
    if (::fsync(file.get()) != 0) throw_posix_error("write", temporary, errno);
    if (::rename(temporary.c_str(), path.c_str()) != 0) {
      throw_posix_error("replace", path.string(), errno);
    }
  } catch (const std::exception&) {
    ::unlink(temporary.c_str());
    throw;
  }
}

}  // namespace mendel::cli
