#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "cli/agent/attempt_files.h"

namespace mendel::cli {

// Starts a process that runs the command in files.source() and outlives the caller, and
// returns once it has begun to: what the command says goes to files.log(), files.begin()
// is made when it begins, files.end() once it has ended with all its processes.
//
// The command has a session of its own, and whatever it starts is found wherever it goes:
// what is left when it ends is ended. After time_max, or when the supervisor is sent
// SIGTERM, all of it gets SIGTERM and, ten seconds later, SIGKILL.
//
// For a process with one thread. Throws already_exists if there was a supervisor before.
void start_supervisor(const AttemptFiles& files, const std::vector<std::string>& command,
                      std::optional<std::chrono::seconds> time_max);

// Makes files.supervisor() say text, unless it exists: whoever makes it decides whether the
// command is run. False: it existed.
bool claim_supervision(const AttemptFiles& files, const std::string& text);

inline constexpr std::chrono::seconds kTermGrace{10};

// The first word, and hidden from the lists, of `mendel supervise --directory DIR
// [--seconds N] -- COMMAND…`, by which an agent starts one.
inline constexpr const char* kSuperviseCommand = "supervise";

}  // namespace mendel::cli
