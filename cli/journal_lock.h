#pragma once

#include <filesystem>

#include "storage/base/fd.h"

namespace mendel::cli {

// flock() on a file that is made for it, shared with others or held alone: free again when
// it is dropped, and when its holder ends, however that comes about. Waiting for it ends
// with Error{cancelled} by Ctrl-C.
class JournalLock {
 public:
  static JournalLock share(const std::filesystem::path& path);
  static JournalLock hold_alone(const std::filesystem::path& path);

 private:
  explicit JournalLock(Fd file) : file_(std::move(file)) {}
  static JournalLock wait_for(const std::filesystem::path& path, int operation);

  Fd file_;
};

}  // namespace mendel::cli
