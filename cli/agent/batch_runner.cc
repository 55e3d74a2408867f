// The script runs the command in the background, so that a signal to the script alone
// reaches it too: a shell that waits for a foreground command puts traps off.

#include "cli/agent/batch_runner.h"

#include <fmt/format.h>

#include <regex>

#include "cli/local_file.h"
#include "cli/shell_word.h"
#include "storage/base/error.h"

namespace mendel::cli {

namespace {

constexpr std::chrono::seconds kProgramTimeMax{120};
constexpr std::chrono::seconds kFileDelayMax{20};

constexpr const char* kScript = R"sh(#!/bin/sh
# Attempt {key}: made by mendel agent.
cd {directory} || exit 1
mkdir claimed || exit 0
. ./environment
begin=$(date +%s)
: > begin
cd source || exit 1
{command} < /dev/null >> ../log 2>&1 &
pid=$!
trap 'kill -TERM "$pid"' TERM INT
wait "$pid"
status=$?
while kill -0 "$pid" 2> /dev/null; do
  wait "$pid"
  status=$?
done
cd ..
times > times
printf '{{"exit_code":%d,"wall_seconds":%d,"host":"%s"}}\n' \
  "$status" "$(($(date +%s) - begin))" "$(hostname)" > end.json.new
mv end.json.new end.json
exit "$status"
)sh";

}  // namespace

std::string BatchRunner::start(const Task& task) {
  replace_text(task.files.environment(), batch_environment(task), 0600);
  replace_text(task.files.script(), batch_script(task), 0700);
  return submit(task);
}

TaskStatus BatchRunner::poll(const Task& task, const std::string& handle) {
  using State = TaskStatus::State;
  if (auto end = find_end(task.files)) return {State::ended, std::move(end)};
  const BatchAnswer answer = ask(handle);
  if (answer.state == BatchAnswer::State::running) return {State::running};
  if (answer.state == BatchAnswer::State::waiting) {
    return {State::waiting, std::nullopt, answer.word};
  }
  if (auto end = find_end(task.files)) return {State::ended, std::move(end)};
  if (!has_been_over_for_long(handle)) return {State::running};
  return {State::gone, std::nullopt,
          answer.state == BatchAnswer::State::over
              ? fmt::format("{} says that it is {}", system(), answer.word)
              : fmt::format("{} knows no job {}", system(), handle)};
}

bool BatchRunner::has_been_over_for_long(const std::string& handle) {
  const auto now = std::chrono::steady_clock::now();
  const std::lock_guard lock(mutex_);
  const auto since = over_since_.emplace(handle, now).first->second;
  return now - since >= std::min<std::chrono::nanoseconds>(kFileDelayMax, 4 * pause_);
}

ProgramOutcome run_batch_program(const std::vector<std::string>& command) {
  return run_program(command, site_environment(), kProgramTimeMax);
}

std::string batch_output(const std::vector<std::string>& command) {
  ProgramOutcome outcome = run_batch_program(command);
  if (!outcome.succeeded()) {
    throw Error(ErrorCode::failed_precondition,
                fmt::format("{}: {}", command.front(), outcome.complaint()));
  }
  return std::move(outcome.output);
}

std::string batch_script(const Task& task) {
  std::string command;
  for (const std::string& word : task.command) {
    command += (command.empty() ? "" : " ") + shell_word(word);
  }
  return fmt::format(kScript, fmt::arg("key", task.key),
                     fmt::arg("directory", shell_word(task.files.directory().string())),
                     fmt::arg("command", command));
}

std::string batch_environment(const Task& task) {
  static const std::regex rule("[A-Za-z_][A-Za-z0-9_]*");
  std::string text = fmt::format("export MENDEL_ATTEMPT={}\n", task.key);
  for (const auto& [name, value] : task.variables) {
    if (!std::regex_match(name, rule)) {
      throw Error(ErrorCode::invalid_argument, "no name of a variable: " + name);
    }
    text += fmt::format("export {}={}\n", name, shell_word(value));
  }
  return text;
}

std::string first_word(const std::string& text) {
  const auto begin = text.find_first_not_of(" \t\n");
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_first_of(" \t\n", begin) - begin);
}

}  // namespace mendel::cli
