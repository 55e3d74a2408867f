#include "cli/git_program.h"

#include <fmt/format.h>
#include <unistd.h>

#include <string_view>

#include "cli/program.h"
#include "storage/base/error.h"

namespace mendel::cli {

namespace {

constexpr const char* kSettings[] = {
    "GIT_TERMINAL_PROMPT=0",        "GIT_ALLOW_PROTOCOL=http:https:ssh:git:file",
    "GIT_CONFIG_COUNT=2",           "GIT_CONFIG_KEY_0=core.hooksPath",
    "GIT_CONFIG_VALUE_0=/dev/null", "GIT_CONFIG_KEY_1=advice.detachedHead",
    "GIT_CONFIG_VALUE_1=false",     "LC_ALL=C"};

// Ours, but for what would lead git to another repository than the directory's.
std::vector<std::string> environment() {
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view text(*variable);
    if (!text.starts_with("GIT_") || text.starts_with("GIT_SSH") ||
        text.starts_with("GIT_SSL") || text.starts_with("GIT_ASKPASS")) {
      variables.emplace_back(text);
    }
  }
  for (const char* setting : kSettings) variables.emplace_back(setting);
  return variables;
}

ProgramOutcome run(const std::filesystem::path& directory,
                   const std::vector<std::string>& arguments) {
  std::vector<std::string> command{"git", "-C", directory.string()};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return run_program(command, environment(), std::nullopt);
}

}  // namespace

std::string run_git(const std::filesystem::path& directory,
                    const std::vector<std::string>& arguments) {
  ProgramOutcome outcome = run(directory, arguments);
  if (!outcome.succeeded()) {
    throw Error(ErrorCode::failed_precondition,
                fmt::format("git {}: {}", arguments.front(), outcome.complaint()));
  }
  return std::move(outcome.output);
}

bool git_succeeds(const std::filesystem::path& directory,
                  const std::vector<std::string>& arguments) {
  return run(directory, arguments).succeeded();
}

}  // namespace mendel::cli
