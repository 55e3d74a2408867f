#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace mendel::cli {

// How a program ended, and what it said, of both as much as kProgramOutputSizeMax.
struct ProgramOutcome {
  int status = 0;  // as of waitpid()
  std::string output;
  std::string complaints;

  bool succeeded() const;
  std::string complaint() const;  // without the line feeds at its end
};

inline constexpr std::size_t kProgramOutputSizeMax = 16u << 20;

// Runs a program, searched in PATH, without input and with this environment alone
// ("NAME=value"), until it has ended and its output is closed. Throws not_found if there is
// no such program, deadline_exceeded after time_max (it is killed then), and cancelled.
ProgramOutcome run_program(const std::vector<std::string>& command,
                           const std::vector<std::string>& environment,
                           std::optional<std::chrono::milliseconds> time_max);

}  // namespace mendel::cli
