#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "cli/config.h"
#include "cli/file_lock.h"
#include "cli/partial_file.h"
#include "storage/base/digest.h"

namespace mendel::cli {

// The blobs that the jobs of one node have in common: what one has pulled, the next one
// need not fetch.
//
// How a blob gets from the cache into a job's directory, and from there into the cache:
// - as a clone (reflink) where the file system can do that. It costs no time and no space,
//   and the job may do with its file what it likes.
// - as a hard link otherwise. Then all of them have one file, in the page cache of the
//   machine too, and it is read-only: what one wrote into it would change it for all.
//   Not where modes protect nothing (root), and not where the wanted mode is another.
// - as a copy otherwise, so between two file systems.
//
// Read-only is a fence, not a wall: its owner can climb it. So no entry is trusted, and
// whatever comes out of the cache is hashed as it lies in the job's directory. An entry
// that is not what its name says is said to be damaged and leaves.
//
// Each user has a cache of their own below the directory, which others may not enter:
// nobody can change what somebody else has verified, or read a model that the server would
// not show them. Any number of processes use it at a time, and each may be killed at any
// instant: an entry appears at once and whole.
//
// Its blobs have no more than size_bytes_max bytes together. Those that were used the
// longest ago leave for new ones, but none that was used since this process began: where
// they leave no room, a new one is not kept. Whoever uses an entry that leaves keeps it.
//
// A cache is no reason to fail: what is wrong with it is said once on standard error, and
// from then on it is as if it were not there. Throws cancelled, and nothing else. Several
// threads may add.
class BlobCache {
 public:
  // Without settings it is as if it were not there.
  explicit BlobCache(const std::optional<CacheSettings>& settings);

  bool has(const Digest& digest) const;

  // Makes twin, which must not exist, a file with the blob's bytes, hashed. nullopt if
  // there is no such entry, or none any more, as it was damaged.
  std::optional<PartialFile> take(const Digest& digest, const std::filesystem::path& twin,
                                  bool executable);

  // The entry to be read, hashed; nullopt as above.
  std::optional<Fd> open(const Digest& digest);

  // Makes an entry of a verified file, which may become read-only by that.
  void add(const Digest& digest, const PartialFile& verified, bool executable);

  // The same of bytes that come piece by piece. nullopt where they will not be kept, and
  // from the write on that failed.
  std::optional<PartialFile> begin(std::uint64_t size_bytes);
  void write(std::optional<PartialFile>& incoming, std::span<const std::byte> data);
  void add(const Digest& digest, std::optional<PartialFile> verified);

  // One process at a time fetches a version; the others wait for it here. nullptr: no
  // waiting, go ahead.
  std::unique_ptr<FileLock> wait_to_fetch(const Digest& version);

 private:
  struct Entry;

  template <class Action>
  auto attempt(Action action);
  void give_up(const char* cause);

  void open_directory(const std::filesystem::path& shared);
  void remove_orphans() const;

  std::filesystem::path entry_path(const Digest& digest) const;
  std::filesystem::path new_partial_path() const;
  std::optional<Fd> open_entry(const Digest& digest) const;
  bool verify(const Digest& digest, const Fd& file) const;
  PartialFile twin_of(const PartialFile& verified, bool executable);
  void keep(const Digest& digest, PartialFile blob);
  void remove(const Digest& digest) const;

  std::unique_ptr<FileLock> lock_usage() const;
  std::uint64_t used_bytes(const FileLock& usage) const;
  std::uint64_t make_room(std::uint64_t size_bytes) const;
  std::vector<Entry> entries() const;

  std::filesystem::path directory_;
  std::uint64_t size_bytes_max_ = 0;
  ::mode_t umask_ = 0;
  std::int64_t began_ns_ = 0;
  std::atomic<bool> is_on_ = false;
};

// Brings what a process wants of a version, so that any number of processes that want it at
// the same time fetch it once. take() takes what the cache has, and returns what is
// missing; fetch(), called at most once, gets that from the server and adds it to the
// cache. It gives signs of life to the lock, if there is one.
void fetch_once(BlobCache& cache, const Digest& version,
                const std::function<std::vector<Digest>()>& take,
                const std::function<void(FileLock*)>& fetch);

}  // namespace mendel::cli
