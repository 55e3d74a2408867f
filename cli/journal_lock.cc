#include "cli/journal_lock.h"

#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <cerrno>

#include "cli/interrupt.h"
#include "storage/base/posix_error.h"

namespace mendel::cli {

namespace {

constexpr std::chrono::milliseconds kFirstPause{1};
constexpr std::chrono::milliseconds kPauseMax{50};

}  // namespace

JournalLock JournalLock::share(const std::filesystem::path& path) {
  return wait_for(path, LOCK_SH);
}

JournalLock JournalLock::hold_alone(const std::filesystem::path& path) {
  return wait_for(path, LOCK_EX);
}

JournalLock JournalLock::wait_for(const std::filesystem::path& path, int operation) {
  Fd file = open_file(path.native(), O_RDWR | O_CREAT, 0600);
  for (auto pause = kFirstPause; ::flock(file.get(), operation | LOCK_NB) != 0;
       pause = std::min(2 * pause, kPauseMax)) {
    if (errno != EWOULDBLOCK && errno != EINTR) {
      throw_posix_error("lock", path.native(), errno);
    }
    sleep_unless_interrupted(pause);
  }
  return JournalLock(std::move(file));
}

}  // namespace mendel::cli
