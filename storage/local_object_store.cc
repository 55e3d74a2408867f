#include "storage/local_object_store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <list>
#include <map>
#include <mutex>
#include <set>

#include "storage/base/error.h"
#include "storage/base/fd.h"
#include "storage/base/posix_error.h"
#include "storage/object_keys.h"

namespace mendel::storage {

namespace {

constexpr std::string_view kTmpPrefix = "tmp/";
constexpr auto kLeftoverAge = std::chrono::hours(24);

constexpr std::size_t kWriteBufferBytes = 256 * 1024;

// Copying so much would take longer than a call of its own.
constexpr std::size_t kDirectWriteBytes = 16 * 1024;

// The kernel is asked to begin writing this often, so that commit() has little to wait for.
constexpr std::uint64_t kWriteBackBytes = 8 << 20;

bool is_absent(int error_number) {
  return error_number == ENOENT || error_number == ENOTDIR;
}

[[noreturn]] void throw_not_found(std::string_view key) {
  throw Error(ErrorCode::not_found, "there is no object " + std::string(key));
}

Fd open_object(std::string_view key, const std::string& path) {
  Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) {
    if (is_absent(errno)) throw_not_found(key);
    throw_posix_error("open", path, errno);
  }
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) throw_posix_error("open", path, errno);
  if (!S_ISREG(status.st_mode)) throw_not_found(key);
  return file;
}

std::string parent_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

std::string make_root(const std::string& directory) {
  std::error_code error;
  if (std::filesystem::create_directories(directory, error))
    sync_directory(directory + "/..");
  if (error) throw_posix_error("make the directory", directory, error.value());
  return directory;
}

// Whether nobody writes the file any more: its writer's lock is gone with the writer.
// Where the file system knows no locks, its age tells.
bool is_abandoned(const std::filesystem::directory_entry& file) {
  const Fd opened(::open(file.path().c_str(), O_RDWR | O_CLOEXEC));
  if (!opened) return false;
  if (::flock(opened.get(), LOCK_EX | LOCK_NB) == 0) return true;
  if (errno == EWOULDBLOCK) return false;
  std::error_code error;
  const auto written_at = file.last_write_time(error);
  return !error &&
         std::filesystem::file_time_type::clock::now() - written_at > kLeftoverAge;
}

void remove_leftovers(const std::string& tmp_directory) {
  std::error_code error;
  for (const auto& file : std::filesystem::directory_iterator(tmp_directory, error)) {
    if (is_abandoned(file)) std::filesystem::remove(file, error);
  }
}

}  // namespace

// Makes directories so that they survive a power failure. One that exists may have been
// made a moment ago by somebody who has not synced it yet: only what this set has is known
// to be on the medium.
class LocalObjectStore::DurableDirectories {
 public:
  explicit DurableDirectories(const std::string& root) : durable_{root} {}

  void make(const std::string& directory) {
    const std::lock_guard lock(mutex_);
    make_locked(directory);
  }

 private:
  void make_locked(const std::string& directory) {
    if (durable_.contains(directory)) return;
    const std::string parent = parent_of(directory);
    make_locked(parent);
    if (::mkdir(directory.c_str(), 0777) != 0 && errno != EEXIST) {
      throw_posix_error("make the directory", directory, errno);
    }
    sync_directory(parent);
    durable_.insert(directory);
  }

  std::mutex mutex_;
  std::set<std::string> durable_;
};

// The least recently used file is the last of the list.
class LocalObjectStore::OpenFiles {
 public:
  explicit OpenFiles(std::size_t count_max) : count_max_(count_max) {}

  std::shared_ptr<const Fd> open(std::string_view key, const std::string& path) {
    std::uint64_t removals_before = 0;
    {
      const std::lock_guard lock(mutex_);
      if (const auto known = by_key_.find(key); known != by_key_.end()) {
        by_use_.splice(by_use_.begin(), by_use_, known->second);
        return by_use_.front().file;
      }
      removals_before = removals_;
    }
    auto shared = std::make_shared<const Fd>(open_object(key, path));
    const std::lock_guard lock(mutex_);
    if (removals_ == removals_before) keep(key, shared);
    return shared;
  }

  void forget(std::string_view key) {
    const std::lock_guard lock(mutex_);
    ++removals_;
    if (const auto known = by_key_.find(key); known != by_key_.end()) {
      by_use_.erase(known->second);
      by_key_.erase(known);
    }
  }

 private:
  struct Open {
    std::string key;
    std::shared_ptr<const Fd> file;
  };

  void keep(std::string_view key, std::shared_ptr<const Fd> file) {
    if (by_key_.contains(key)) return;
    by_use_.push_front({std::string(key), std::move(file)});
    by_key_.emplace(key, by_use_.begin());
    if (by_use_.size() > count_max_) {
      by_key_.erase(by_use_.back().key);
      by_use_.pop_back();
    }
  }

  const std::size_t count_max_;
  std::mutex mutex_;
  std::list<Open> by_use_;
  std::map<std::string, std::list<Open>::iterator, std::less<>> by_key_;
  std::uint64_t removals_ = 0;  // a file that was opened before one may be gone by now
};

class LocalObjectStore::Writer : public ObjectWriter {
 public:
  explicit Writer(LocalObjectStore& store) : store_(store) {
    do {
      make_file();
    } while (!is_ours());
  }

  ~Writer() override { ::unlink(path_.c_str()); }

  void append(std::span<const std::byte> data) override {
    const bool is_worth_a_call = data.size() >= kDirectWriteBytes;
    if (is_worth_a_call || buffer_.size() + data.size() > kWriteBufferBytes) flush();
    if (is_worth_a_call) return write(data);
    if (buffer_.capacity() == 0) buffer_.reserve(kWriteBufferBytes);
    buffer_.insert(buffer_.end(), data.begin(), data.end());
  }

  void commit(std::string_view key) override {
    const std::string target = store_.path_of(key);
    flush();
    sync_file(file_, path_);
    store_.directories_->make(parent_of(target));
    if (::link(path_.c_str(), target.c_str()) != 0 && errno != EEXIST) {
      throw_posix_error("link " + path_ + " as", target, errno);
    }
    // Where the object was there already: it may not have been synced yet by who made it.
    sync_directory(parent_of(target));
  }

 private:
  void make_file() {
    path_ = store_.directory_ + "/" + std::string(kTmpPrefix) + "XXXXXX";
    file_ = Fd(::mkostemp(path_.data(), O_CLOEXEC));
    if (!file_) throw_posix_error("create", path_, errno);
  }

  // Locks the file, so that nobody takes it for a leftover; a store that was opened in
  // between may have done so already.
  bool is_ours() const {
    struct stat status {};
    return ::flock(file_.get(), LOCK_SH) != 0 || ::fstat(file_.get(), &status) != 0 ||
           status.st_nlink > 0;
  }

  void flush() {
    write(buffer_);
    buffer_.clear();
  }

  void write(std::span<const std::byte> data) {
    write_all(file_, path_, data);
    size_bytes_ += data.size();
    if (size_bytes_ - written_back_bytes_ < kWriteBackBytes) return;
    // Advice, so its failure is none: commit() syncs whatever happened here.
    ::sync_file_range(file_.get(), static_cast<off_t>(written_back_bytes_),
                      static_cast<off_t>(size_bytes_ - written_back_bytes_),
                      SYNC_FILE_RANGE_WRITE);
    written_back_bytes_ = size_bytes_;
  }

  LocalObjectStore& store_;
  std::string path_;
  Fd file_;
  std::vector<std::byte> buffer_;
  std::uint64_t size_bytes_ = 0;
  std::uint64_t written_back_bytes_ = 0;
};

namespace {

// Walks the directories in the order of the keys that they hold.
class Listing {
 public:
  Listing(const std::string& root, std::string_view prefix, std::string_view start_after,
          std::size_t limit)
      : root_(root), prefix_(prefix), start_after_(start_after), limit_(limit) {}

  std::vector<ObjectInfo> run() && {
    visit("");
    return std::move(found_);
  }

 private:
  // directory is empty or ends with '/'.
  void visit(const std::string& directory) {
    for (const std::string& entry : entries_of(directory)) {
      if (found_.size() == limit_) return;
      const std::string key = directory + entry;
      if (key.ends_with('/')) {
        if (may_hold_more(key)) visit(key);
      } else if (key > start_after_ && key.starts_with(prefix_)) {
        add(key);
      }
    }
  }

  bool may_hold_more(const std::string& directory) const {
    if (directory == kTmpPrefix) return false;
    const std::string_view shared = std::string_view(directory).substr(0, prefix_.size());
    return prefix_.starts_with(shared) &&
           (directory > start_after_ || start_after_.starts_with(directory));
  }

  // Sorted; those that are directories end with '/', which puts them where their keys go.
  std::vector<std::string> entries_of(const std::string& directory) const {
    const std::string path = root_ + "/" + directory;
    std::vector<std::string> entries;
    std::error_code error;
    std::filesystem::directory_iterator at(path, error);
    for (; !error && at != std::filesystem::directory_iterator(); at.increment(error)) {
      entries.push_back(at->path().filename().string() +
                        (at->is_directory(error) ? "/" : ""));
    }
    if (error && !is_absent(error.value())) throw_posix_error("list", path, error.value());
    std::ranges::sort(entries);
    return entries;
  }

  void add(const std::string& key) {
    std::error_code error;
    const std::uintmax_t size = std::filesystem::file_size(root_ + "/" + key, error);
    if (!error) found_.push_back({key, size});
    if (error && !is_absent(error.value())) throw_posix_error("find", key, error.value());
  }

  const std::string& root_;
  const std::string_view prefix_;
  const std::string_view start_after_;
  const std::size_t limit_;
  std::vector<ObjectInfo> found_;
};

}  // namespace

LocalObjectStore::LocalObjectStore(const std::string& directory, std::size_t open_files_max)
    : directory_(make_root(directory)),
      open_files_(std::make_unique<OpenFiles>(open_files_max)),
      directories_(std::make_unique<DurableDirectories>(directory_)) {
  const std::string tmp_directory = directory_ + "/tmp";
  directories_->make(tmp_directory);
  remove_leftovers(tmp_directory);
}

LocalObjectStore::~LocalObjectStore() = default;

std::string LocalObjectStore::path_of(std::string_view key) const {
  check_object_key(key);
  if (key.starts_with(kTmpPrefix)) {
    throw Error(ErrorCode::invalid_argument,
                "tmp/ is not for objects: " + std::string(key));
  }
  return directory_ + "/" + std::string(key);
}

std::unique_ptr<ObjectWriter> LocalObjectStore::create() {
  return std::make_unique<Writer>(*this);
}

std::size_t LocalObjectStore::read(std::string_view key, std::uint64_t offset,
                                   std::span<std::byte> buffer) {
  const std::string path = path_of(key);
  return read_at(*open_files_->open(key, path), path, offset, buffer);
}

std::optional<ObjectInfo> LocalObjectStore::find(std::string_view key) {
  const std::string path = path_of(key);
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    if (is_absent(errno)) return std::nullopt;
    throw_posix_error("find", path, errno);
  }
  if (!S_ISREG(status.st_mode)) return std::nullopt;
  return ObjectInfo{std::string(key), static_cast<std::uint64_t>(status.st_size)};
}

std::vector<ObjectInfo> LocalObjectStore::list(std::string_view prefix,
                                               std::string_view start_after,
                                               std::size_t limit) {
  return Listing(directory_, prefix, start_after, limit).run();
}

void LocalObjectStore::remove(std::string_view key) {
  const std::string path = path_of(key);
  if (::unlink(path.c_str()) != 0 && !is_absent(errno)) {
    throw_posix_error("remove", path, errno);
  }
  open_files_->forget(key);
}

}  // namespace mendel::storage
