#include "registry/services/client_packages.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "storage/base/error.h"
#include "storage/base/sha256.h"

namespace mendel::registry {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kHashedAtOnceBytes = 256u << 10;

class FileSource : public Source {
 public:
  FileSource(Fd file, std::string path) : file_(std::move(file)), path_(std::move(path)) {}

  std::size_t read(std::span<std::byte> buffer) override {
    const std::size_t count = read_at(file_, path_, offset_, buffer);
    offset_ += count;
    return count;
  }

 private:
  const Fd file_;
  const std::string path_;
  std::uint64_t offset_ = 0;
};

// Another one for another file, and for one that was changed.
std::string stamp_of(const struct stat& status) {
  return fmt::format("{}:{}:{}.{}", status.st_ino, status.st_size, status.st_mtim.tv_sec,
                     status.st_mtim.tv_nsec);
}

// Those that are named otherwise, such as one that is just being written, are not for all.
std::optional<Name> find_name(const std::string& text) {
  try {
    return Name::parse("client", text);
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace

ClientPackages::ClientPackages(fs::path directory) : directory_(std::move(directory)) {}

std::vector<ClientPackage> ClientPackages::list() {
  std::vector<ClientPackage> packages;
  std::error_code none;
  for (const auto& item : fs::directory_iterator(directory_, none)) {
    const auto name = find_name(item.path().filename().string());
    if (!name) continue;
    if (const auto opened = find(*name)) packages.push_back(opened->package);
  }
  std::ranges::sort(packages, {}, &ClientPackage::name);
  return packages;
}

ClientPackages::Opened ClientPackages::open(const Name& name) {
  if (auto opened = find(name)) return std::move(*opened);
  throw Error(ErrorCode::not_found, "there is no client " + name.text() + " here");
}

std::optional<ClientPackages::Opened> ClientPackages::find(const Name& name) {
  const std::string path = directory_ / name.text();
  Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status;
  if (!file || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return std::nullopt;
  }
  const Digest digest = digest_of(name.text(), file, stamp_of(status));
  return Opened{{name.text(), static_cast<std::uint64_t>(status.st_size), digest},
                std::make_unique<FileSource>(std::move(file), path)};
}

Digest ClientPackages::digest_of(const std::string& name, const Fd& file,
                                 const std::string& stamp) {
  const std::lock_guard lock(mutex_);
  const auto known = known_.find(name);
  if (known != known_.end() && known->second.stamp == stamp) return known->second.digest;

  Sha256 sha256;
  std::vector<std::byte> buffer(kHashedAtOnceBytes);
  for (std::uint64_t offset = 0;;) {
    const std::size_t count = read_at(file, name, offset, buffer);
    sha256.update(std::span(buffer).first(count));
    offset += count;
    if (count < buffer.size()) break;
  }
  const Digest digest = sha256.finish();
  known_[name] = {stamp, digest};
  return digest;
}

}  // namespace mendel::registry
