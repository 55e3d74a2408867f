#pragma once

#include <atomic>
#include <chrono>
#include <filesystem>
#include <memory>

#include "storage/base/fd.h"

namespace mendel::cli {

// What one process of a node holds at a time: flock() on a file that is made for it. Free
// again when it is dropped, and when its holder ends, however that comes about.
//
// The holder gives signs of life. Whoever waits in vain for one goes away, so that a holder
// that was suspended, or hangs on a dead disk, does not hold up all others for ever.
class FileLock {
 public:
  // Waits until the lock is free: nullptr if it was not, and its holder was silent for as
  // long as patience. Throws what errno means, and cancelled.
  static std::unique_ptr<FileLock> acquire(const std::filesystem::path& path,
                                           std::chrono::milliseconds patience);

  const Fd& file() const { return file_; }

  // A sign of life. Cheap, for any thread.
  void beat();

 private:
  explicit FileLock(Fd file);

  const Fd file_;
  std::atomic<std::chrono::steady_clock::time_point> next_beat_;
};

}  // namespace mendel::cli
