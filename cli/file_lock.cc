#include "cli/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "cli/interrupt.h"
#include "cli/local_file.h"
#include "storage/base/posix_error.h"

namespace mendel::cli {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kBeatInterval{1};
constexpr std::chrono::milliseconds kFirstPause{2};
constexpr std::chrono::milliseconds kPauseMax{200};

bool try_lock(const Fd& file, const std::string& path) {
  if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0) return true;
  if (errno != EWOULDBLOCK && errno != EINTR) throw_posix_error("lock", path, errno);
  return false;
}

}  // namespace

FileLock::FileLock(Fd file) : file_(std::move(file)), next_beat_(Clock::time_point::min()) {
  beat();
}

// The sign of life is the time of the last change of the file; by whose clock is all one,
// as it only has to differ from the one seen before.
std::unique_ptr<FileLock> FileLock::acquire(const std::filesystem::path& path,
                                            std::chrono::milliseconds patience) {
  Fd file = open_file(path.native(), O_RDWR | O_CREAT, 0600);
  std::int64_t last_sign = stamp_of(file, path.native()).mtime_ns;
  auto deadline = Clock::now() + patience;
  for (auto pause = kFirstPause; !try_lock(file, path.native());
       pause = std::min(2 * pause, kPauseMax)) {
    const std::int64_t sign = stamp_of(file, path.native()).mtime_ns;
    if (sign != std::exchange(last_sign, sign)) deadline = Clock::now() + patience;
    if (Clock::now() > deadline) return nullptr;
    sleep_unless_interrupted(pause);
  }
  return std::unique_ptr<FileLock>(new FileLock(std::move(file)));
}

void FileLock::beat() {
  const auto now = Clock::now();
  if (now < next_beat_.load(std::memory_order_relaxed)) return;
  next_beat_.store(now + kBeatInterval, std::memory_order_relaxed);
  ::futimens(file_.get(), nullptr);
}

}  // namespace mendel::cli
