#include "registry/services/egress/limited_process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>

#include "storage/base/error.h"

namespace mendel::registry {
namespace {

using ::testing::HasSubstr;

LimitedCommand shell(const std::string& script) {
  return {.arguments = {"/bin/sh", "-c", script},
          .environment = {"PATH=/usr/bin:/bin", "GIVEN=yes"},
          .directory = "/",
          .time_max = std::chrono::seconds(60),
          .cpu_time_max = std::chrono::seconds(10),
          .output_size_max = 1000,
          .memory_size_bytes_max = 1u << 30,
          .file_size_bytes_max = 1000,
          .cancelled = nullptr};
}

ErrorCode failure_of(const LimitedCommand& command) {
  try {
    run_limited(command);
    return ErrorCode::internal;
  } catch (const Error& error) {
    return error.code();
  }
}

TEST(LimitedProcess, SaysWhatWasPrintedAndHowItEnded) {
  const auto outcome = run_limited(shell("echo out; echo err >&2; pwd; exit 3"));
  EXPECT_EQ(outcome.output, "out\n/\n");
  EXPECT_EQ(outcome.complaints, "err\n");
  EXPECT_EQ(outcome.exit_status, 3);
  EXPECT_EQ(run_limited(shell("kill -9 $$")).exit_status, 128 + SIGKILL);
}

TEST(LimitedProcess, GetsNoneOfOurEnvironmentFilesOrPrivileges) {
  setenv("MENDEL_TEST_OF_SECRETS", "hunter2", 1);
  const auto outcome = run_limited(
      shell("env; ls /proc/self/fd | wc -l; id -u; grep NoNewPrivs /proc/self/status"));
  EXPECT_THAT(outcome.output, ::testing::Not(HasSubstr("hunter2")));
  EXPECT_THAT(outcome.output, HasSubstr("GIVEN=yes"));
  EXPECT_THAT(outcome.output,
              HasSubstr("\n4\n"));  // three, and the directory that ls reads
  EXPECT_THAT(outcome.output, HasSubstr("\n" + std::to_string(limited_user().uid) + "\n"));
  EXPECT_THAT(outcome.output, HasSubstr("NoNewPrivs:\t1"));
  EXPECT_NE(limited_user().uid, 0u);
}

TEST(LimitedProcess, IsKilledWithItsChildrenWhenItTakesTooLong) {
  auto command = shell("sleep 1000 & sleep 1000");
  command.time_max = std::chrono::milliseconds(100);
  EXPECT_EQ(failure_of(command), ErrorCode::deadline_exceeded);
  command = shell("exec >&- 2>&-; sleep 1000");  // says nothing more, and does not end
  command.time_max = std::chrono::milliseconds(100);
  EXPECT_EQ(failure_of(command), ErrorCode::deadline_exceeded);
}

TEST(LimitedProcess, LeavesNothingOfItsGroupBehind) {
  const auto outcome = run_limited(shell("sleep 1000 >/dev/null 2>&1 & echo $!"));
  const pid_t left = std::stoi(outcome.output);
  // Killed when run_limited() returned; it is gone as soon as its new parent has seen that.
  for (int i = 0; i < 10'000 && kill(left, 0) == 0; ++i) {
    const auto state = run_limited(shell("cut -d' ' -f3 /proc/" + std::to_string(left) +
                                         "/stat 2>/dev/null || echo gone"));
    if (state.output == "Z\n" || state.output == "gone\n") return;
  }
  EXPECT_NE(kill(left, 0), 0);
}

TEST(LimitedProcess, MayPrintSoMuchAndComplainAsItLikes) {
  EXPECT_EQ(failure_of(shell("yes")), ErrorCode::too_large);
  EXPECT_LE(run_limited(shell("yes | head -c 100000 >&2")).complaints.size(), 4096u);
}

TEST(LimitedProcess, MayUseSoMuch) {
  auto hungry = shell("while :; do :; done");
  hungry.cpu_time_max = std::chrono::seconds(1);
  EXPECT_GT(run_limited(hungry).exit_status, 128);
  EXPECT_NE(run_limited(shell("ulimit -f unlimited")).exit_status, 0);
  EXPECT_EQ(run_limited(shell("ulimit -c")).output, "0\n");
}

TEST(LimitedProcess, IsKilledWhenItIsCancelled) {
  const std::atomic<bool> cancelled{true};
  auto command = shell("sleep 1000");
  command.cancelled = &cancelled;
  EXPECT_EQ(failure_of(command), ErrorCode::cancelled);
}

TEST(LimitedProcess, ThatIsNotThereIsUnavailable) {
  auto command = shell("");
  command.arguments[0] = "/nonexistent/git";
  EXPECT_EQ(failure_of(command), ErrorCode::unavailable);
}

}  // namespace
}  // namespace mendel::registry
