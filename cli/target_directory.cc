#include "cli/target_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

#include "cli/file_twin.h"
#include "storage/base/error.h"
#include "storage/base/posix_error.h"

namespace mendel::cli {

namespace {

namespace fs = std::filesystem;

constexpr const char* kState = ".mendel";
const std::string kIncoming = "incoming-";
constexpr const char* kPartial = ".mendel/partial";
constexpr const char* kLock = ".mendel/lock";
constexpr int kOpenDirectory = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

LocalEntry::Type type_of(const struct stat& status) {
  if (S_ISREG(status.st_mode)) return LocalEntry::Type::file;
  if (S_ISDIR(status.st_mode)) return LocalEntry::Type::directory;
  return S_ISLNK(status.st_mode) ? LocalEntry::Type::link : LocalEntry::Type::other;
}

std::string read_link(const Fd& parent, const std::string& name) {
  char target[PATH_MAX];
  const ::ssize_t size = ::readlinkat(parent.get(), name.c_str(), target, sizeof target);
  return size < 0 ? std::string() : std::string(target, std::size_t(size));
}

void rename_into(const fs::path& from, const Fd& parent, const std::string& path) {
  if (::renameat(AT_FDCWD, from.c_str(), parent.get(), name_of(path).c_str()) == 0) return;
  if (errno == EISDIR || errno == ENOTEMPTY || errno == EEXIST) {
    throw Error(ErrorCode::already_exists, "a directory is in the way of " + path);
  }
  throw_posix_error("write", path, errno);
}

Fd open_directory(const fs::path& directory) {
  Fd open(::open(directory.c_str(), kOpenDirectory));
  if (!open) throw_posix_error("open", directory.string(), errno);
  return open;
}

Fd lock(const fs::path& directory) {
  Fd lock(::open((directory / kLock).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
  if (!lock) throw_posix_error("create", (directory / kLock).string(), errno);
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    throw Error(ErrorCode::aborted, "another pull is working in " + directory.string());
  }
  return lock;
}

}  // namespace

TargetDirectory::TargetDirectory(fs::path path, Fd directory, Fd lock)
    : path_(std::move(path)),
      parents_(std::make_unique<ParentDirectories>(std::move(directory))),
      lock_(std::move(lock)),
      partial_count_(std::make_unique<std::atomic<std::uint64_t>>(0)) {}

TargetDirectory TargetDirectory::open_or_create(const fs::path& directory) {
  std::error_code status;
  fs::create_directories(directory / kPartial, status);
  if (status) throw_posix_error("create", directory.string(), status.value());
  TargetDirectory target(directory, open_directory(directory), lock(directory));
  target.remove_partial_files();
  return target;
}

TargetDirectory TargetDirectory::open(const fs::path& directory) {
  return {directory, open_directory(directory), Fd()};
}

std::vector<fs::path> TargetDirectory::incoming_files() const {
  std::vector<fs::path> files;
  for (const auto& item : fs::directory_iterator(path_ / kState)) {
    if (item.path().filename().string().starts_with(kIncoming))
      files.push_back(item.path());
  }
  return files;
}

fs::path TargetDirectory::new_incoming_file() const {
  return path_ / kState / (kIncoming + std::to_string(incoming_files().size()) + ".json");
}

std::optional<LocalEntry> TargetDirectory::find(const std::string& path) const {
  const auto parent = parents_->open(path, Missing::stop);
  struct stat status;
  if (!parent) return std::nullopt;
  if (::fstatat(parent->get(), name_of(path).c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return std::nullopt;
    throw_posix_error("look at", path, errno);
  }
  LocalEntry entry{type_of(status), stamp_of(status), (status.st_mode & S_IXUSR) != 0, ""};
  if (entry.type == LocalEntry::Type::link) entry.link = read_link(*parent, name_of(path));
  return entry;
}

Fd TargetDirectory::open_file(const std::string& path) const {
  const auto parent = parents_->open(path, Missing::stop);
  if (!parent) throw_posix_error("open", path, ENOENT);
  Fd file(
      ::openat(parent->get(), name_of(path).c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!file) throw_posix_error("open", path, errno);
  return file;
}

PartialFile TargetDirectory::create_file(bool executable) const {
  return PartialFile::create(new_partial_path(), executable ? 0777 : 0666);
}

FileStamp TargetDirectory::place_file(PartialFile file, const std::string& path) const {
  const auto parent = parents_->open(path, Missing::create);
  rename_into(file.path(), *parent, path);
  const Fd placed = std::move(file).release();
  return stamp_of(placed, path);
}

void TargetDirectory::place_link(const std::string& target, const std::string& path) const {
  const auto parent = parents_->open(path, Missing::create);
  const fs::path partial = new_partial_path();
  if (::symlink(target.c_str(), partial.c_str()) != 0)
    throw_posix_error("link", path, errno);
  rename_into(partial, *parent, path);
}

void TargetDirectory::make_directory(const std::string& path) const {
  parents_->open(path + "/.", Missing::create);
}

FileStamp TargetDirectory::set_executable(const std::string& path, bool executable) const {
  const Fd file = open_file(path);
  struct stat status;
  if (::fstat(file.get(), &status) != 0) throw_posix_error("look at", path, errno);
  if (status.st_nlink > 1) {
    return place_file(copy_file(file, new_partial_path(), executable ? 0777 : 0666), path);
  }
  const ::mode_t readers = status.st_mode & 0444;
  const ::mode_t mode = (status.st_mode & 0666) | (executable ? readers >> 2 : 0);
  if (::fchmod(file.get(), mode) != 0) throw_posix_error("change the mode of", path, errno);
  return stamp_of(file, path);
}

void TargetDirectory::remove(const std::string& path) const {
  const auto parent = parents_->open(path, Missing::stop);
  if (!parent) return;
  const std::string name = name_of(path);
  if (::unlinkat(parent->get(), name.c_str(), 0) != 0 && errno != ENOENT &&
      ::unlinkat(parent->get(), name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT &&
      errno != ENOTEMPTY) {
    throw_posix_error("remove", path, errno);
  }
  parents_->forget();
  for (std::string up = parent_of(path); !up.empty(); up = parent_of(up)) {
    const auto above = parents_->open(up, Missing::stop);
    if (!above || ::unlinkat(above->get(), name_of(up).c_str(), AT_REMOVEDIR) != 0) return;
    parents_->forget();
  }
}

void TargetDirectory::remove_partial_files() const {
  for (const auto& left_over : fs::directory_iterator(path_ / kPartial)) {
    ::unlink(left_over.path().c_str());
  }
}

fs::path TargetDirectory::new_partial_path() const {
  return path_ / kPartial / std::to_string((*partial_count_)++);
}

}  // namespace mendel::cli
