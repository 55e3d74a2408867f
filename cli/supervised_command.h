#pragma once

#include <sys/types.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "cli/process_environment.h"

namespace mendel::cli {

// What a command did and took, with all its descendants that it waited for.
struct CommandEnd {
  int exit_code = 0;  // 127 and 126: it could not be run, as in a shell
  int signal = 0;     // that ended it; 0: it exited
  double wall_seconds = 0;
  double cpu_seconds = 0;
  std::uint64_t peak_memory_bytes = 0;  // of the largest process among them

  // What a shell would report.
  int status() const { return signal ? 128 + signal : exit_code; }
};

// As long as this lives, the signals that are passed on to a command are not delivered to
// this thread, and to none that it starts, but wait for SupervisedCommand.
class HeldSignals {
 public:
  HeldSignals();
  ~HeldSignals();
  HeldSignals(const HeldSignals&) = delete;

  const sigset_t& held() const { return held_; }
  const sigset_t& before() const { return before_; }

 private:
  sigset_t held_;
  sigset_t before_;
};

// A command in our own process group, with our standard streams. It is given what is sent
// to us: SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2 and SIGCONT; what a terminal
// sends has reached it by itself. Stopped (SIGTSTP), we stop with it.
//
// Should we be killed, it goes on.
class SupervisedCommand {
 public:
  // Searches the program in PATH, and adds the variables to our environment.
  SupervisedCommand(const HeldSignals& signals, const std::vector<std::string>& arguments,
                    const Variables& variables);

  // Until it has ended. on_continue is called after we were stopped and go on.
  CommandEnd wait(const std::function<void()>& on_continue);

 private:
  void pass_on(const siginfo_t& signal, const std::function<void()>& on_continue);

  const HeldSignals& signals_;
  const std::chrono::steady_clock::time_point begin_;
  ::pid_t pid_;
};

}  // namespace mendel::cli
