#pragma once

#include "cli/agent/runner.h"

namespace mendel::cli {

// Runs commands on this machine, each under a supervisor (supervisor.h), and so in a
// session of its own of which nothing is left when it is over. Even should the supervisor
// be killed: whatever has MENDEL_ATTEMPT=KEY in its environment is the attempt's.
class ShellRunner : public Runner {
 public:
  // The mendel that is to supervise.
  explicit ShellRunner(std::string program) : program_(std::move(program)) {}

  std::string start(const Task& task) override;
  std::optional<std::string> find(const Task& task) override;
  TaskStatus poll(const Task& task, const std::string& handle) override;
  void cancel(const Task& task, const std::string& handle) override;
  std::chrono::milliseconds pause() const override {
    return std::chrono::milliseconds(100);
  }

 private:
  const std::string program_;
};

}  // namespace mendel::cli
