#include "cli/agent/batch_runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>

#include "cli/agent/htcondor_runner.h"
#include "cli/agent/process_tree.h"
#include "cli/agent/slurm_runner.h"
#include "storage/base/error.h"
#include "tests/cli/agent/task_fixture.h"

namespace mendel::cli {
namespace {

using State = TaskStatus::State;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds kPause{10};

struct System {
  const char* name;
  std::function<std::unique_ptr<Runner>()> make;
};

// Both batch systems, played by tests/testing/batch/fake_batch_system.py.
class BatchRunnerTest : public TaskTest, public ::testing::WithParamInterface<System> {
 protected:
  BatchRunnerTest() {
    fs::create_directories(bin());
    for (const char* program : {"sbatch", "squeue", "sacct", "scancel", "condor_submit",
                                "condor_q", "condor_history", "condor_rm"}) {
      fs::create_symlink(MENDEL_FAKE_BATCH_SYSTEM, bin() / program);
    }
    fs::create_directories(fake());
    ::setenv("FAKE_BATCH", fake().c_str(), 1);
    ::setenv("PATH", (bin().string() + ":" + path_before_).c_str(), 1);
  }
  ~BatchRunnerTest() override { ::setenv("PATH", path_before_.c_str(), 1); }

  fs::path bin() const { return path("bin"); }
  fs::path fake() const { return path("fake"); }

  const std::string path_before_ = std::getenv("PATH");
  const std::unique_ptr<Runner> runner_ = GetParam().make();
};

INSTANTIATE_TEST_SUITE_P(
    Of, BatchRunnerTest,
    ::testing::Values(System{"Slurm",
                             [] {
                               return std::make_unique<SlurmRunner>(
                                   std::vector<std::string>{"--partition=main"}, kPause);
                             }},
                      System{"HTCondor",
                             [] {
                               return std::make_unique<HtcondorRunner>(
                                   std::vector<std::string>{"request_cpus = 1"}, kPause);
                             }}),
    [](const auto& info) { return info.param.name; });

TEST_P(BatchRunnerTest, SaysHowACommandEnded) {
  const Task failing = task("echo out; echo err >&2; exit 7");
  const TaskStatus status = wait(*runner_, failing, runner_->start(failing));
  ASSERT_EQ(status.state, State::ended);
  EXPECT_EQ(status.end->command.exit_code, 7);
  EXPECT_NE(status.end->host, "");
  EXPECT_EQ(read_file(failing.files.log()), "out\nerr\n");
}

TEST_P(BatchRunnerTest, RunsInTheSourceWithItsVariables) {
  Task mine = task("pwd; printf '%s\n' \"$A\" \"$MENDEL_ATTEMPT\"");
  mine.variables = {{"A", "a 'b' $c\nd"}};
  const TaskStatus status = wait(*runner_, mine, runner_->start(mine));
  EXPECT_TRUE(status.end->succeeded());
  EXPECT_EQ(read_file(mine.files.log()),
            mine.files.source().string() + "\na 'b' $c\nd\n" + mine.key + "\n");
}

TEST_P(BatchRunnerTest, SaysThatACommandWaits) {
  write_file(fake() / "hold", "");
  const Task waiting = task("exit 0");
  const std::string handle = runner_->start(waiting);
  EXPECT_EQ(runner_->poll(waiting, handle).state, State::waiting);
  fs::remove(fake() / "hold");
  EXPECT_TRUE(wait(*runner_, waiting, handle).end->succeeded());
}

TEST_P(BatchRunnerTest, FindsByItsKeyWhatAnotherAgentSubmitted) {
  const Task other = task("exit 0", "attempt-2");
  const Task mine = task("while [ ! -e go ]; do sleep 0.01; done");
  GetParam().make()->start(other);
  EXPECT_FALSE(runner_->find(mine));
  const std::string handle = GetParam().make()->start(mine);
  EXPECT_EQ(runner_->find(mine), handle);
  write_file(mine.files.source() / "go", "");
  EXPECT_TRUE(wait(*runner_, mine, handle).end->succeeded());
}

TEST_P(BatchRunnerTest, RunsACommandOnceHoweverOftenItIsSubmitted) {
  const Task once = task("echo once");
  wait(*runner_, once, runner_->start(once));
  const std::string again = runner_->start(once);
  EXPECT_TRUE(wait(*runner_, once, again).end->succeeded());
  EXPECT_EQ(read_file(once.files.log()), "once\n");
}

TEST_P(BatchRunnerTest, CancelsWhatRuns) {
  const Task endless = task(": > ready; sleep 1000");
  const std::string handle = runner_->start(endless);
  wait_for_file(endless.files.source() / "ready");
  runner_->cancel(endless, handle);
  EXPECT_EQ(wait(*runner_, endless, handle).state, State::gone);
  EXPECT_TRUE(testing::eventually(
      [&] { return processes_with("MENDEL_ATTEMPT=" + endless.key).empty(); }));
}

TEST_P(BatchRunnerTest, CancelsWhatIsOverOrUnknownWithoutComplaint) {
  const Task done = task("exit 0");
  const std::string handle = runner_->start(done);
  wait(*runner_, done, handle);
  runner_->cancel(done, handle);
  runner_->cancel(done, handle.find('.') == handle.npos ? "99" : "99.0");
}

TEST_P(BatchRunnerTest, SaysThatItIsGoneWhenNobodyKnowsHowItEnded) {
  const Task lost = task("exit 0");
  const std::string handle = runner_->start(lost);
  wait(*runner_, lost, handle);
  fs::remove(lost.files.end());
  const TaskStatus status = wait(*runner_, lost, handle);
  EXPECT_EQ(status.state, State::gone);
  EXPECT_THAT(status.reason, HasSubstr(GetParam().name));
}

TEST_P(BatchRunnerTest, AsksAgainLaterWhenTheSystemIsDown) {
  const Task endless = task("while [ ! -e go ]; do sleep 0.01; done");
  const std::string handle = runner_->start(endless);
  write_file(fake() / "down", "");
  try {
    runner_->poll(endless, handle);
    ADD_FAILURE() << "it answered";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unavailable);
    EXPECT_THAT(error.what(), HasSubstr("cannot reach the controller"));
  }
  EXPECT_THROW(runner_->start(task("exit 0", "attempt-2")), Error);
  fs::remove(fake() / "down");
  write_file(endless.files.source() / "go", "");
  EXPECT_TRUE(wait(*runner_, endless, handle).end->succeeded());
}

TEST_P(BatchRunnerTest, KeepsItsSecretsFromOthers) {
  Task mine = task("exit 0");
  mine.variables = {{"MENDEL_TOKEN", "secret"}};
  wait(*runner_, mine, runner_->start(mine));
  const auto others = fs::perms::group_all | fs::perms::others_all;
  EXPECT_EQ(fs::status(mine.files.environment()).permissions() & others, fs::perms::none);
  EXPECT_EQ(read_file(mine.files.script()).find("secret"), std::string::npos);
}

TEST(HtcondorRunnerTest, TakesAHeldJobForOneThatIsOver) {
  const BatchAnswer answer = condor_answer("5 the disk is full\n");
  EXPECT_EQ(answer.state, BatchAnswer::State::over);
  EXPECT_EQ(answer.word, "held: the disk is full");
  EXPECT_EQ(condor_answer("").state, BatchAnswer::State::unknown);
  EXPECT_EQ(condor_answer("1 undefined").state, BatchAnswer::State::waiting);
  EXPECT_EQ(condor_answer("2 undefined").state, BatchAnswer::State::running);
}

TEST(HtcondorRunnerTest, ReadsTheNumberOfAJob) {
  EXPECT_EQ(condor_job_of("4711.0 - 4711.0\n"), "4711.0");
  EXPECT_THROW(condor_job_of("ERROR: nothing\n"), Error);
}

TEST(SlurmRunnerTest, ReadsTheNumberOfAJob) {
  EXPECT_EQ(slurm_job_of("4711\n"), "4711");
  EXPECT_EQ(slurm_job_of("4711;cluster\n"), "4711");
  EXPECT_THROW(slurm_job_of("error\n"), Error);
}

TEST(SlurmRunnerTest, KnowsTheStatesOfJobs) {
  using S = BatchAnswer::State;
  EXPECT_EQ(slurm_answer("PENDING").state, S::waiting);
  EXPECT_EQ(slurm_answer("COMPLETING").state, S::running);
  for (const char* state : {"COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL"}) {
    EXPECT_EQ(slurm_answer(state).state, S::over) << state;
  }
}

TEST(BatchEnvironment, RefusesANameThatAShellWouldRun) {
  Task task{AttemptFiles("/nowhere"), "k", "t", {"true"}, {{"A;touch x", "1"}}, {}};
  EXPECT_THROW(batch_environment(task), Error);
}

TEST(TaskEndTest, ReadsWhatTheShellSaysOfTimes) {
  EXPECT_DOUBLE_EQ(cpu_seconds_of_times("0m0.500s 0m0.250s\n1m2.000s 0m1.250s\n"), 64.0);
  EXPECT_EQ(cpu_seconds_of_times(""), 0);
  EXPECT_EQ(cpu_seconds_of_times("nonsense 12"), 0);
}

using TaskEndFileTest = TaskTest;

TEST_F(TaskEndFileTest, IsReadAsItWasWritten) {
  const AttemptFiles files = task("").files;
  EXPECT_FALSE(find_end(files));
  TaskEnd end;
  end.command.exit_code = 3;
  end.command.wall_seconds = 1.5;
  end.command.peak_memory_bytes = 1u << 30;
  end.ending = Ending::by_time;
  end.host = "node7";
  write_end(files, end);
  const auto again = find_end(files);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->command.exit_code, 3);
  EXPECT_EQ(again->command.wall_seconds, 1.5);
  EXPECT_EQ(again->command.peak_memory_bytes, 1u << 30);
  EXPECT_EQ(again->ending, Ending::by_time);
  EXPECT_EQ(again->host, "node7");
}

TEST_F(TaskEndFileTest, ThatIsDamagedIsSaidToBe) {
  const AttemptFiles files = task("").files;
  write_file(files.end(), "{\"exit_code\":");
  EXPECT_THROW(find_end(files), Error);
}

}  // namespace
}  // namespace mendel::cli
