#pragma once

#include <optional>
#include <string>

#include "cli/agent/attempt_files.h"
#include "cli/supervised_command.h"

namespace mendel::cli {

// Who ended a command.
enum class Ending { by_itself, by_request, by_time };

// How the command of an attempt ended, as end.json has it.
struct TaskEnd {
  CommandEnd command;
  Ending ending = Ending::by_itself;
  std::string host;  // where it ran; may be empty

  bool succeeded() const { return command.status() == 0 && ending == Ending::by_itself; }
};

// Whole or not at all.
void write_end(const AttemptFiles& files, const TaskEnd& end);

// nullopt: the command has not ended, or whoever was to write it down is no more. Throws
// data_loss.
std::optional<TaskEnd> find_end(const AttemptFiles& files);

// Of what the shell's `times` prints: user and system time of the shell and, in the second
// line, of its children, each "1m2.345s". 0 where it makes no sense.
double cpu_seconds_of_times(std::string_view text);

}  // namespace mendel::cli
