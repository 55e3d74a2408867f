#include "cli/agent/shell_runner.h"

#include <csignal>

#include "cli/agent/process_tree.h"
#include "cli/agent/supervisor.h"
#include "cli/local_file.h"
#include "cli/program.h"
#include "storage/base/error.h"

namespace mendel::cli {

namespace {

constexpr const char* kHandle = "here";
constexpr const char* kNobody = "nobody";  // as supervisor: it will never be run
constexpr std::chrono::seconds kStartTimeMax{60};

std::string mark_of(const Task& task) { return "MENDEL_ATTEMPT=" + task.key; }

void kill_what_is_left(const Task& task) {
  for (const ::pid_t pid : processes_with(mark_of(task))) ::kill(pid, SIGKILL);
}

}  // namespace

std::string ShellRunner::start(const Task& task) {
  std::vector<std::string> command = {program_, kSuperviseCommand, "--directory",
                                      task.files.directory().string()};
  if (task.time_max) {
    command.insert(command.end(), {"--seconds", std::to_string(task.time_max->count())});
  }
  command.emplace_back("--");
  command.insert(command.end(), task.command.begin(), task.command.end());

  std::vector<std::string> environment = {mark_of(task)};
  for (const auto& [name, value] : task.variables) {
    environment.push_back(name + "=" + value);
  }
  for (auto& variable : site_environment()) environment.push_back(std::move(variable));
  const ProgramOutcome outcome = run_program(command, environment, kStartTimeMax);
  if (!outcome.succeeded() && !find(task)) {
    throw Error(ErrorCode::failed_precondition,
                "the command cannot be started: " + outcome.complaint());
  }
  return kHandle;
}

std::optional<std::string> ShellRunner::find(const Task& task) {
  if (find_text(task.files.supervisor())) return kHandle;
  return std::nullopt;
}

TaskStatus ShellRunner::poll(const Task& task, const std::string&) {
  using State = TaskStatus::State;
  const auto supervisor = find_text(task.files.supervisor());
  const auto identity = ProcessIdentity::parse(supervisor.value_or(""));
  if (identity && identity->is_alive()) return {State::running};
  if (auto end = find_end(task.files)) return {State::ended, std::move(end)};
  kill_what_is_left(task);
  return {State::gone, std::nullopt, "the process that watched over it was killed"};
}

void ShellRunner::cancel(const Task& task, const std::string&) {
  if (claim_supervision(task.files, kNobody)) return;
  const auto identity =
      ProcessIdentity::parse(find_text(task.files.supervisor()).value_or(""));
  if (identity && identity->is_alive()) return identity->send(SIGTERM);
  kill_what_is_left(task);
}

}  // namespace mendel::cli
