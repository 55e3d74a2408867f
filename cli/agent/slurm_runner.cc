#include "cli/agent/slurm_runner.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "storage/base/error.h"

namespace mendel::cli {

namespace {

constexpr std::array<std::string_view, 8> kRunning = {
    "RUNNING",  "COMPLETING", "SUSPENDED", "STOPPED",
    "RESIZING", "SIGNALING",  "STAGE_OUT", "CONFIGURING"};
constexpr std::array<std::string_view, 7> kWaiting = {
    "PENDING",       "REQUEUED",     "REQUEUE_FED", "REQUEUE_HOLD",
    "RESV_DEL_HOLD", "SPECIAL_EXIT", "REVOKED"};

// Whole minutes, and one more: the agent's own limit comes first, and its words are
// clearer.
std::string minutes_of(std::chrono::seconds time) {
  return std::to_string(std::chrono::ceil<std::chrono::minutes>(time).count() + 1);
}

bool is_unknown(const ProgramOutcome& outcome) {
  return outcome.complaints.find("Invalid job id") != std::string::npos;
}

}  // namespace

std::string SlurmRunner::submit(const Task& task) {
  std::vector<std::string> command = {"sbatch",
                                      "--parsable",
                                      "--no-requeue",
                                      "--job-name=" + task.key,
                                      "--comment=" + task.title,
                                      "--chdir=" + task.files.directory().string(),
                                      "--output=" + task.files.batch_output().string()};
  if (task.time_max) command.push_back("--time=" + minutes_of(*task.time_max));
  command.insert(command.end(), options_.begin(), options_.end());
  command.push_back(task.files.script().string());
  return slurm_job_of(batch_output(command));
}

std::optional<std::string> SlurmRunner::find(const Task& task) {
  const std::string found = first_word(batch_output(
      {"squeue", "--noheader", "--states=all", "--name=" + task.key, "--format=%i"}));
  if (!found.empty()) return found;
  const ProgramOutcome past =
      run_batch_program({"sacct", "--noheader", "--parsable2", "--allocations",
                         "--name=" + task.key, "--format=JobID"});
  const std::string remembered = past.succeeded() ? first_word(past.output) : "";
  if (!remembered.empty()) return remembered;
  return std::nullopt;
}

BatchAnswer SlurmRunner::ask(const std::string& handle) {
  const ProgramOutcome now = run_batch_program(
      {"squeue", "--noheader", "--states=all", "--jobs=" + handle, "--format=%T"});
  if (!now.succeeded() && !is_unknown(now)) {
    throw Error(ErrorCode::unavailable, "squeue: " + now.complaint());
  }
  if (const std::string state = first_word(now.output); !state.empty()) {
    return slurm_answer(state);
  }
  const ProgramOutcome past =
      run_batch_program({"sacct", "--noheader", "--parsable2", "--allocations",
                         "--jobs=" + handle, "--format=State"});
  const std::string state = past.succeeded() ? first_word(past.output) : "";
  return state.empty() ? BatchAnswer{BatchAnswer::State::unknown, ""} : slurm_answer(state);
}

void SlurmRunner::cancel(const Task&, const std::string& handle) {
  const ProgramOutcome outcome = run_batch_program({"scancel", "--full", handle});
  if (!outcome.succeeded() && !is_unknown(outcome)) {
    throw Error(ErrorCode::unavailable, "scancel: " + outcome.complaint());
  }
}

BatchAnswer slurm_answer(const std::string& state) {
  using State = BatchAnswer::State;
  if (std::ranges::find(kRunning, state) != kRunning.end()) return {State::running, state};
  if (std::ranges::find(kWaiting, state) != kWaiting.end()) return {State::waiting, state};
  return {State::over, state};
}

std::string slurm_job_of(const std::string& output) {
  const std::string word = first_word(output);
  const std::string job = word.substr(0, word.find(';'));
  if (job.empty() || job.find_first_not_of("0123456789") != job.npos) {
    throw Error(ErrorCode::failed_precondition, "sbatch told no job: " + output);
  }
  return job;
}

}  // namespace mendel::cli
