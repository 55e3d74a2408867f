#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace mendel::registry {

// A program that handles what strangers send, and what it may use up. It gets no more of
// our environment than is given here, no files, no terminal, no new privileges; under root
// it runs as nobody.
struct LimitedCommand {
  std::vector<std::string> arguments;    // the first is the program's absolute path
  std::vector<std::string> environment;  // "NAME=value", all of it
  std::string directory;                 // where it runs

  std::chrono::milliseconds time_max;
  std::chrono::seconds cpu_time_max;
  std::size_t output_size_max = 0;          // of standard output; what it complains is cut
  std::uint64_t memory_size_bytes_max = 0;  // address space, of each of its processes
  std::uint64_t file_size_bytes_max = 0;    // of each file that it writes
  const std::atomic<bool>* cancelled =
      nullptr;  // once true, it is killed: Error{cancelled}
};

struct ProcessOutcome {
  int exit_status = 0;  // 128 + the signal that ended it
  std::string output;
  std::string complaints;  // of standard error, no more than 4 KiB
};

// Runs it to its end, in a session of its own; when this returns, nothing of its process
// group is left. Throws deadline_exceeded when it takes too long, too_large when it prints
// too much, unavailable where there is no such program.
ProcessOutcome run_limited(const LimitedCommand& command);

// Whom limited programs run as, so that what they shall write can be given to them.
struct LimitedUser {
  unsigned uid = 0;
  unsigned gid = 0;
};
LimitedUser limited_user();

}  // namespace mendel::registry
