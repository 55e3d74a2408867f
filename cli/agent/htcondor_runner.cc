#include "cli/agent/htcondor_runner.h"

#include <fmt/format.h>

#include <regex>
#include <sstream>

#include "cli/local_file.h"
#include "storage/base/error.h"

namespace mendel::cli {

namespace {

// A job that is held waits for somebody to look at it, and nobody does.
constexpr int kHeld = 5;

std::string constraint_of(const Task& task) {
  return fmt::format("MendelKey == \"{}\"", task.key);
}

}  // namespace

std::string HtcondorRunner::submit(const Task& task) {
  replace_text(task.files.submission(), condor_submission(task, options_), 0600);
  return condor_job_of(
      batch_output({"condor_submit", "-terse", task.files.submission().string()}));
}

std::optional<std::string> HtcondorRunner::find(const Task& task) {
  for (const char* program : {"condor_q", "condor_history"}) {
    std::istringstream found(batch_output({program, "-constraint", constraint_of(task),
                                           "-limit", "1", "-af", "ClusterId", "ProcId"}));
    std::string cluster, process;
    if (found >> cluster >> process) return condor_job_of(cluster + "." + process);
  }
  return std::nullopt;
}

BatchAnswer HtcondorRunner::ask(const std::string& handle) {
  const ProgramOutcome now =
      run_batch_program({"condor_q", handle, "-af", "JobStatus", "HoldReason"});
  if (!now.succeeded()) {
    throw Error(ErrorCode::unavailable, "condor_q: " + now.complaint());
  }
  const BatchAnswer answer = condor_answer(now.output);
  if (answer.state != BatchAnswer::State::unknown) return answer;
  const ProgramOutcome past = run_batch_program(
      {"condor_history", handle, "-limit", "1", "-af", "JobStatus", "HoldReason"});
  return past.succeeded() ? condor_answer(past.output) : answer;
}

void HtcondorRunner::cancel(const Task&, const std::string& handle) {
  const ProgramOutcome outcome = run_batch_program({"condor_rm", handle});
  if (outcome.succeeded()) return;
  if (ask(handle).state == BatchAnswer::State::unknown) return;
  throw Error(ErrorCode::unavailable, "condor_rm: " + outcome.complaint());
}

// The manual of condor_q, JobStatus: 1 idle, 2 running, 3 removed, 4 completed, 5 held, 6
// transferring output, 7 suspended.
BatchAnswer condor_answer(const std::string& line) {
  using State = BatchAnswer::State;
  const std::string number = first_word(line);
  if (number == "1") return {State::waiting, "idle"};
  if (number == "2" || number == "6" || number == "7") return {State::running, "running"};
  if (number == "3") return {State::over, "removed"};
  if (number == "4") return {State::over, "completed"};
  if (number != std::to_string(kHeld)) return {State::unknown, ""};
  const auto reason = line.find_first_not_of(" \t", line.find(number) + 1);
  const auto end = line.find_last_not_of(" \t\n");
  return {State::over,
          "held: " + (reason > end ? "" : line.substr(reason, end + 1 - reason))};
}

std::string condor_job_of(const std::string& output) {
  static const std::regex rule("[0-9]+\\.[0-9]+");
  const std::string job = first_word(output);
  if (!std::regex_match(job, rule)) {
    throw Error(ErrorCode::failed_precondition, "condor_submit told no job: " + output);
  }
  return job;
}

std::string condor_submission(const Task& task, const std::vector<std::string>& options) {
  std::string text = fmt::format(
      "universe = vanilla\n"
      "executable = {}\n"
      "initialdir = {}\n"
      "output = {}\n"
      "error = {}\n"
      "should_transfer_files = NO\n"
      "getenv = True\n"
      "+MendelKey = \"{}\"\n",
      task.files.script().string(), task.files.directory().string(),
      task.files.batch_output().string(), task.files.batch_output().string(), task.key);
  for (const std::string& option : options) text += option + "\n";
  return text + "queue\n";
}

}  // namespace mendel::cli
