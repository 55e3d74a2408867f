#include "cli/blob_cache.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "cli/api_client.h"
#include "cli/file_digest.h"
#include "cli/file_twin.h"
#include "cli/local_file.h"
#include "storage/base/error.h"
#include "storage/base/posix_error.h"

// Below DIR/user-UID, which is its owner's alone:
//
//   blobs/HEX         the bytes whose SHA-256 is HEX, read-only; its time of last access is
//                     the time of last use, set by hand as many file systems do not keep it
//   partial/UUID      on its way to become one; removed if it was left there
//   fetching/XX       the lock of those who fetch versions whose digests begin with XX
//   usage             the bytes in blobs/, 20 decimal digits; locked while they change
//
// The sum in usage is never too small, whoever is killed: it grows before an entry appears,
// and shrinks after one has left. When it says that the cache is full, it is counted anew.

namespace mendel::cli {

namespace {

namespace fs = std::filesystem;

constexpr const char* kBlobs = "blobs";
constexpr const char* kPartial = "partial";
constexpr const char* kFetching = "fetching";
constexpr const char* kUsage = "usage";

// Longer than a connection may stall before it counts as broken.
constexpr std::chrono::seconds kFetchPatience{180};
constexpr std::chrono::seconds kUsagePatience{10};

// A file on its way into the cache that nobody has written to for so long was left behind
// by a process that was killed.
constexpr std::int64_t kOrphanAgeMin_ns = 600'000'000'000;

constexpr std::size_t kUsageDigits = 20;

// Reading it means setting it: once, before there are threads that make files.
::mode_t process_umask() {
  static const ::mode_t mask = [] {
    const ::mode_t before = ::umask(0);
    ::umask(before);
    return before;
  }();
  return mask;
}

void make_directory(const fs::path& path, ::mode_t mode) {
  if (::mkdir(path.c_str(), mode) != 0 && errno != EEXIST) {
    throw_posix_error("create", path.string(), errno);
  }
}

// Nobody else may have prepared it for us.
void require_own(const fs::path& directory) {
  struct stat status;
  if (::lstat(directory.c_str(), &status) != 0) {
    throw_posix_error("look at", directory.string(), errno);
  }
  if (!S_ISDIR(status.st_mode) || status.st_uid != ::geteuid() ||
      (status.st_mode & 0022) != 0) {
    throw Error(ErrorCode::permission_denied,
                directory.string() + " is not a directory of yours alone");
  }
}

void mark_used(const Fd& file) {
  const std::int64_t now = now_ns();
  const timespec times[] = {{now / 1'000'000'000, now % 1'000'000'000}, {0, UTIME_OMIT}};
  ::futimens(file.get(), times);
}

::mode_t mode_of(const Fd& file) {
  struct stat status;
  if (::fstat(file.get(), &status) != 0) throw_posix_error("look at", "a file", errno);
  return status.st_mode & 07777;
}

void write_usage(const FileLock& usage, std::uint64_t size_bytes) {
  const std::string text = fmt::format("{:0{}}\n", size_bytes, kUsageDigits);
  if (::pwrite(usage.file().get(), text.data(), text.size(), 0) != ::ssize_t(text.size())) {
    throw_posix_error("write", kUsage, errno);
  }
}

}  // namespace

struct BlobCache::Entry {
  fs::path path;
  std::uint64_t size_bytes;
  std::int64_t used_ns;
};

template <class Action>
auto BlobCache::attempt(Action action) {
  using Result = decltype(action());
  if (!is_on_) return Result();
  try {
    return action();
  } catch (const Error& error) {
    if (error.code() == ErrorCode::cancelled) throw;
    give_up(error.what());
  } catch (const fs::filesystem_error& error) {
    give_up(error.what());
  }
  return Result();
}

BlobCache::BlobCache(const std::optional<CacheSettings>& settings)
    : umask_(process_umask()), began_ns_(now_ns()) {
  if (!settings) return;
  size_bytes_max_ = settings->size_bytes_max;
  is_on_ = true;
  attempt([&] {
    open_directory(settings->directory);
    remove_orphans();
  });
}

void BlobCache::give_up(const char* cause) {
  if (!is_on_.exchange(false)) return;
  fmt::print(stderr, "mendel: warning: going on without the cache: {}\n", cause);
}

void BlobCache::open_directory(const fs::path& shared) {
  std::error_code status;
  fs::create_directories(shared, status);
  if (status) throw_posix_error("create", shared.string(), status.value());
  directory_ = shared / fmt::format("user-{}", ::geteuid());
  make_directory(directory_, 0700);
  require_own(directory_);
  for (const char* part : {kBlobs, kPartial, kFetching}) {
    make_directory(directory_ / part, 0700);
  }
}

void BlobCache::remove_orphans() const {
  for (const auto& item : fs::directory_iterator(directory_ / kPartial)) {
    struct stat status;
    if (::lstat(item.path().c_str(), &status) == 0 &&
        stamp_of(status).mtime_ns < began_ns_ - kOrphanAgeMin_ns) {
      ::unlink(item.path().c_str());
    }
  }
}

bool BlobCache::has(const Digest& digest) const {
  return is_on_ && ::access(entry_path(digest).c_str(), F_OK) == 0;
}

std::optional<PartialFile> BlobCache::take(const Digest& digest, const fs::path& twin,
                                           bool executable) {
  return attempt([&]() -> std::optional<PartialFile> {
    const auto entry = open_entry(digest);
    if (!entry) return std::nullopt;
    const ::mode_t mode = executable ? 0777 : 0666;
    auto taken = clone_file(*entry, twin, mode);
    if (!taken && mode_of(*entry) == (mode & 0555 & ~umask_)) {
      taken = link_file(entry_path(digest), twin);
    }
    if (!taken) taken = copy_file(*entry, twin, mode);
    if (!verify(digest, taken->file())) return std::nullopt;
    return taken;
  });
}

std::optional<Fd> BlobCache::open(const Digest& digest) {
  return attempt([&]() -> std::optional<Fd> {
    auto entry = open_entry(digest);
    if (!entry || !verify(digest, *entry)) return std::nullopt;
    return entry;
  });
}

void BlobCache::add(const Digest& digest, const PartialFile& verified, bool executable) {
  attempt([&] {
    const auto size_bytes = stamp_of(verified.file(), verified.path().native()).size_bytes;
    if (size_bytes <= size_bytes_max_ && !has(digest)) {
      keep(digest, twin_of(verified, executable));
    }
  });
}

std::optional<PartialFile> BlobCache::begin(std::uint64_t size_bytes) {
  return attempt([&]() -> std::optional<PartialFile> {
    if (size_bytes > size_bytes_max_) return std::nullopt;
    return PartialFile::create(new_partial_path(), 0444);
  });
}

void BlobCache::write(std::optional<PartialFile>& incoming,
                      std::span<const std::byte> data) {
  attempt([&] {
    if (incoming) incoming->write(data);
  });
  if (!is_on_) incoming.reset();
}

void BlobCache::add(const Digest& digest, std::optional<PartialFile> verified) {
  attempt([&] {
    if (verified) keep(digest, std::move(*verified));
  });
}

std::unique_ptr<FileLock> BlobCache::wait_to_fetch(const Digest& version) {
  return attempt([&] {
    return FileLock::acquire(directory_ / kFetching / version.hex().substr(0, 2),
                             kFetchPatience);
  });
}

fs::path BlobCache::entry_path(const Digest& digest) const {
  return directory_ / kBlobs / digest.hex();
}

fs::path BlobCache::new_partial_path() const { return directory_ / kPartial / new_uuid(); }

std::optional<Fd> BlobCache::open_entry(const Digest& digest) const {
  const fs::path path = entry_path(digest);
  Fd file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!file && errno == ENOENT) return std::nullopt;
  if (!file) throw_posix_error("open", path.string(), errno);
  mark_used(file);
  return file;
}

// Whether file, which came out of the entry, is the blob. The entry leaves if not.
bool BlobCache::verify(const Digest& digest, const Fd& file) const {
  if (digest_of(file, entry_path(digest)) == digest) return true;
  fmt::print(stderr, "mendel: warning: {} in the cache was damaged: it is fetched anew\n",
             digest.to_string());
  remove(digest);
  return false;
}

PartialFile BlobCache::twin_of(const PartialFile& verified, bool executable) {
  const ::mode_t mode = executable ? 0555 : 0444;
  const fs::path twin = new_partial_path();
  if (auto clone = clone_file(verified.file(), twin, mode)) return std::move(*clone);

  const ::mode_t mode_before = mode_of(verified.file());
  ::fchmod(verified.file().get(), mode & ~umask_);
  if (auto link = link_file(verified.path(), twin)) return std::move(*link);
  ::fchmod(verified.file().get(), mode_before);
  return copy_file(verified.file(), twin, mode);
}

void BlobCache::keep(const Digest& digest, PartialFile blob) {
  const auto size_bytes = stamp_of(blob.file(), blob.path().native()).size_bytes;
  const auto usage = lock_usage();
  if (!usage || has(digest)) return;
  std::uint64_t used = used_bytes(*usage);
  if (used + size_bytes > size_bytes_max_) used = make_room(size_bytes);
  if (used + size_bytes > size_bytes_max_) return write_usage(*usage, used);

  mark_used(blob.file());
  write_usage(*usage, used + size_bytes);
  const fs::path entry = entry_path(digest);
  if (::rename(blob.path().c_str(), entry.c_str()) != 0) {
    throw_posix_error("write", entry.string(), errno);
  }
  std::move(blob).release();
}

void BlobCache::remove(const Digest& digest) const {
  const auto usage = lock_usage();
  const fs::path entry = entry_path(digest);
  struct stat status;
  if (::lstat(entry.c_str(), &status) != 0) return;
  if (::unlink(entry.c_str()) != 0) throw_posix_error("remove", entry.string(), errno);
  if (!usage) return;
  const std::uint64_t used = used_bytes(*usage);
  write_usage(*usage, used - std::min(used, std::uint64_t(status.st_size)));
}

std::unique_ptr<FileLock> BlobCache::lock_usage() const {
  return FileLock::acquire(directory_ / kUsage, kUsagePatience);
}

std::uint64_t BlobCache::used_bytes(const FileLock& usage) const {
  char text[kUsageDigits];
  std::uint64_t used = 0;
  if (::pread(usage.file().get(), text, kUsageDigits, 0) == ::ssize_t(kUsageDigits)) {
    const auto [stop, status] = std::from_chars(text, text + kUsageDigits, used);
    if (status == std::errc() && stop == text + kUsageDigits) return used;
  }
  for (const Entry& entry : entries()) used += entry.size_bytes;
  return used;
}

// Removes an eighth more than is needed, so that the next ones find room without counting.
// Returns how many bytes are left.
std::uint64_t BlobCache::make_room(std::uint64_t size_bytes) const {
  std::vector<Entry> found = entries();
  std::ranges::sort(found, {}, &Entry::used_ns);
  std::uint64_t used = 0;
  for (const Entry& entry : found) used += entry.size_bytes;
  const std::uint64_t target = size_bytes_max_ - size_bytes_max_ / 8;
  for (const Entry& entry : found) {
    if (used + size_bytes <= target || entry.used_ns >= began_ns_) break;
    if (::unlink(entry.path.c_str()) == 0) used -= entry.size_bytes;
  }
  return used;
}

std::vector<BlobCache::Entry> BlobCache::entries() const {
  std::vector<Entry> found;
  for (const auto& item : fs::directory_iterator(directory_ / kBlobs)) {
    struct stat status;
    if (::lstat(item.path().c_str(), &status) != 0) continue;
    found.push_back(
        {item.path(), std::uint64_t(status.st_size),
         std::int64_t{status.st_atim.tv_sec} * 1'000'000'000 + status.st_atim.tv_nsec});
  }
  return found;
}

void fetch_once(BlobCache& cache, const Digest& version,
                const std::function<std::vector<Digest>()>& take,
                const std::function<void(FileLock*)>& fetch) {
  for (;;) {
    const auto missing = take();
    if (missing.empty()) return;
    const auto turn = cache.wait_to_fetch(version);
    const bool came_meanwhile = std::ranges::any_of(
        missing, [&](const Digest& digest) { return cache.has(digest); });
    if (!came_meanwhile) return fetch(turn.get());
  }
}

}  // namespace mendel::cli
