#include "cli/file_lock.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "tests/testing/temporary_directory.h"

namespace mendel::cli {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;

class Lock : public ::testing::Test {
 protected:
  testing::TemporaryDirectory directory;
  const std::string path = directory / "lock";
};

TEST_F(Lock, IsHeldByOneAtATime) {
  const auto held = FileLock::acquire(path, minutes(1));
  ASSERT_TRUE(held);
  EXPECT_FALSE(FileLock::acquire(path, milliseconds(0)));
}

TEST_F(Lock, IsFreeOnceItIsDropped) {
  FileLock::acquire(path, minutes(1)).reset();
  EXPECT_TRUE(FileLock::acquire(path, milliseconds(0)));
}

TEST_F(Lock, IsFreeOnceItsHolderIsKilled) {
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const ::pid_t holder = ::fork();
  if (holder == 0) {
    const auto held = FileLock::acquire(path, minutes(1));
    if (::write(ready[1], held ? "1" : "0", 1) != 1) ::_exit(1);
    for (;;) ::pause();
  }
  char is_held = 0;
  ASSERT_EQ(::read(ready[0], &is_held, 1), 1);
  EXPECT_EQ(is_held, '1');
  EXPECT_FALSE(FileLock::acquire(path, milliseconds(0)));
  ::kill(holder, SIGKILL);
  ::waitpid(holder, nullptr, 0);
  EXPECT_TRUE(FileLock::acquire(path, milliseconds(0)));
}

TEST_F(Lock, IsWaitedFor) {
  auto held = FileLock::acquire(path, minutes(1));
  std::unique_ptr<FileLock> next;
  {
    const std::jthread waiting([&] { next = FileLock::acquire(path, minutes(1)); });
    held.reset();
  }
  EXPECT_TRUE(next);
}

}  // namespace
}  // namespace mendel::cli
