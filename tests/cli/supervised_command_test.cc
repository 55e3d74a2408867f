#include "cli/supervised_command.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <thread>

#include "tests/cli/test_files.h"
#include "tests/testing/temporary_directory.h"

namespace mendel::cli {
namespace {

CommandEnd run(const std::vector<std::string>& arguments, const Variables& variables = {}) {
  const HeldSignals signals;
  return SupervisedCommand(signals, arguments, variables).wait([] {});
}

TEST(SupervisedCommand, EndsWithItsOwnStatus) {
  EXPECT_EQ(run({"true"}).status(), 0);
  EXPECT_EQ(run({"sh", "-c", "exit 7"}).status(), 7);
  EXPECT_EQ(run({"/no/such/program"}).status(), 127);
  EXPECT_EQ(run({"/etc/passwd"}).status(), 126);
}

TEST(SupervisedCommand, SaysWhichSignalEndedIt) {
  const CommandEnd end = run({"sh", "-c", "kill -KILL $$"});
  EXPECT_EQ(end.signal, SIGKILL);
  EXPECT_EQ(end.status(), 128 + SIGKILL);
}

TEST(SupervisedCommand, HasTheVariablesBesideOurs) {
  ::setenv("MENDEL_TEST_OURS", "ours", 1);
  ::setenv("MENDEL_TEST_BOTH", "old", 1);
  EXPECT_EQ(run({"sh", "-c", "test $MENDEL_TEST_OURS$MENDEL_TEST_BOTH = oursnew"},
                {{"MENDEL_TEST_BOTH", "new"}})
                .status(),
            0);
}

TEST(SupervisedCommand, IsMeasuredWithItsChildren) {
  const CommandEnd end =
      run({"sh", "-c", "python3 -c 'x = bytearray(200 << 20); sum(range(3000000))'"});
  EXPECT_GT(end.cpu_seconds, 0);
  EXPECT_GE(end.wall_seconds, 0);
  EXPECT_GT(end.peak_memory_bytes, 200u << 20);
}

TEST(SupervisedCommand, IsGivenTheSignalsThatAreSentToUs) {
  const testing::TemporaryDirectory directory;
  const std::string ready = directory / "ready";
  const HeldSignals signals;
  SupervisedCommand command(
      signals,
      {"sh", "-c", "trap 'exit 5' TERM; : > \"$0\"; while :; do sleep 0.01; done", ready},
      {});
  const std::jthread sender([&] {
    while (!std::filesystem::exists(ready)) std::this_thread::yield();
    ::kill(::getpid(), SIGTERM);
  });
  EXPECT_EQ(command.wait([] {}).status(), 5);
}

TEST(SupervisedCommand, IsBornWithItsSignalsAsWeHadThem) {
  EXPECT_EQ(run({"sh", "-c", "kill -TERM $$; exit 0"}).signal, SIGTERM);
  EXPECT_EQ(run({"python3", "-c",
                 "import signal; assert not signal.pthread_sigmask(signal.SIG_BLOCK, [])"})
                .status(),
            0);
}

}  // namespace
}  // namespace mendel::cli
