#include "cli/agent/shell_runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <cstdlib>

#include "cli/agent/process_tree.h"
#include "storage/base/error.h"
#include "tests/cli/agent/task_fixture.h"

namespace mendel::cli {
namespace {

using State = TaskStatus::State;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ShellRunnerTest : public TaskTest {
 protected:
  TaskStatus run(const Task& task) { return wait(runner_, task, runner_.start(task)); }

  static auto processes_of(const Task& task) {
    return processes_with("MENDEL_ATTEMPT=" + task.key);
  }

  static ProcessIdentity supervisor_of(const Task& task) {
    return *ProcessIdentity::parse(read_file(task.files.supervisor()));
  }

  ShellRunner runner_{MENDEL_PROGRAM};
};

TEST_F(ShellRunnerTest, SaysHowACommandEnded) {
  const TaskStatus status = run(task("echo out; echo err >&2; exit 7"));
  ASSERT_EQ(status.state, State::ended);
  EXPECT_EQ(status.end->command.exit_code, 7);
  EXPECT_EQ(status.end->ending, Ending::by_itself);
  EXPECT_FALSE(status.end->succeeded());
  EXPECT_EQ(read_file(task("").files.log()), "out\nerr\n");
  EXPECT_TRUE(std::filesystem::exists(task("").files.begin()));
}

TEST_F(ShellRunnerTest, SaysWhichSignalEndedIt) {
  EXPECT_EQ(run(task("kill -KILL $$")).end->command.signal, SIGKILL);
}

TEST_F(ShellRunnerTest, SaysThatThereIsNoSuchCommand) {
  Task missing = task("");
  missing.command = {"/no/such/program"};
  EXPECT_EQ(run(missing).end->command.exit_code, 127);
  EXPECT_THAT(read_file(missing.files.log()),
              HasSubstr("/no/such/program: no such command"));
}

TEST_F(ShellRunnerTest, RunsInTheSourceWithItsVariablesAndNotTheAgentsToken) {
  ::setenv("MENDEL_TOKEN", "of-the-agent", 1);
  ::setenv("MENDEL_JOURNAL", "of-the-agent", 1);
  Task mine = task("pwd; echo $A $MENDEL_ATTEMPT $MENDEL_TOKEN $MENDEL_JOURNAL");
  mine.variables = {{"A", "a b"}};
  run(mine);
  ::unsetenv("MENDEL_TOKEN");
  ::unsetenv("MENDEL_JOURNAL");
  EXPECT_EQ(read_file(mine.files.log()),
            mine.files.source().string() + "\na b " + mine.key + "\n");
}

TEST_F(ShellRunnerTest, MeasuresIt) {
  const auto end =
      run(task("python3 -c 'x = bytearray(200 << 20); sum(range(3000000))'")).end;
  EXPECT_GT(end->command.cpu_seconds, 0);
  EXPECT_GT(end->command.wall_seconds, 0);
  EXPECT_GT(end->command.peak_memory_bytes, 200u << 20);
  EXPECT_NE(end->host, "");
}

TEST_F(ShellRunnerTest, EndsEverythingAtATimeOut) {
  Task endless = task("setsid sh -c 'sleep 1000' & setsid -f sleep 1000; sleep 1000");
  endless.time_max = std::chrono::seconds(1);
  const TaskStatus status = run(endless);
  ASSERT_EQ(status.state, State::ended);
  EXPECT_EQ(status.end->ending, Ending::by_time);
  EXPECT_FALSE(status.end->succeeded());
  EXPECT_THAT(processes_of(endless), IsEmpty());
}

TEST_F(ShellRunnerTest, EndsWhatItsCommandLeftBehind) {
  const Task leaving = task("setsid -f sleep 1000; sleep 1000 & exit 0");
  const TaskStatus status = run(leaving);
  EXPECT_TRUE(status.end->succeeded());
  EXPECT_THAT(processes_of(leaving), IsEmpty());
}

TEST_F(ShellRunnerTest, KillsWhatDoesNotEndWhenAsked) {
  const Task stubborn = task("trap '' TERM; : > ready; while :; do sleep 0.1; done");
  const std::string handle = runner_.start(stubborn);
  wait_for_file(stubborn.files.source() / "ready");
  runner_.cancel(stubborn, handle);
  const TaskStatus status = wait(runner_, stubborn, handle);
  EXPECT_EQ(status.end->ending, Ending::by_request);
  EXPECT_EQ(status.end->command.signal, SIGKILL);
  EXPECT_THAT(processes_of(stubborn), IsEmpty());
}

TEST_F(ShellRunnerTest, FindsAgainWhatAnotherAgentStarted) {
  const Task long_one = task("while [ ! -e go ]; do sleep 0.01; done; exit 3");
  EXPECT_FALSE(runner_.find(long_one));
  ShellRunner(MENDEL_PROGRAM).start(long_one);
  const auto handle = runner_.find(long_one);
  ASSERT_TRUE(handle);
  EXPECT_EQ(runner_.poll(long_one, *handle).state, State::running);
  write_file(long_one.files.source() / "go", "");
  EXPECT_EQ(wait(runner_, long_one, *handle).end->command.exit_code, 3);
}

TEST_F(ShellRunnerTest, RunsACommandOnceHoweverOftenItIsStarted) {
  const Task once = task("echo once; sleep 0.2");
  for (int i = 0; i < 3; ++i) runner_.start(once);
  wait(runner_, once, *runner_.find(once));
  runner_.start(once);
  EXPECT_EQ(read_file(once.files.log()), "once\n");
}

TEST_F(ShellRunnerTest, NeverRunsWhatWasCancelledBefore) {
  const Task cancelled = task("echo ran");
  runner_.cancel(cancelled, "");
  const TaskStatus status = wait(runner_, cancelled, runner_.start(cancelled));
  EXPECT_EQ(status.state, State::gone);
  EXPECT_FALSE(std::filesystem::exists(cancelled.files.log()) &&
               read_file(cancelled.files.log()) == "ran\n");
}

TEST_F(ShellRunnerTest, LeavesNothingWhenTheSupervisorIsKilled) {
  const Task orphaned = task("setsid -f sleep 1000; : > ready; sleep 1000");
  const std::string handle = runner_.start(orphaned);
  wait_for_file(orphaned.files.source() / "ready");
  ::kill(supervisor_of(orphaned).pid, SIGKILL);
  EXPECT_EQ(wait(runner_, orphaned, handle).state, State::gone);
  EXPECT_TRUE(testing::eventually([&] { return processes_of(orphaned).empty(); }));
}

}  // namespace
}  // namespace mendel::cli
