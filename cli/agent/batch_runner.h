#pragma once

#include <map>
#include <mutex>

#include "cli/agent/runner.h"
#include "cli/program.h"

namespace mendel::cli {

// What a batch system says of a job.
struct BatchAnswer {
  enum class State { waiting, running, over, unknown };
  State state;
  std::string word;  // the system's own
};

// Hands commands to a batch system that runs them, maybe elsewhere, with the same file
// system. What is handed over is a script that runs once, whatever the system does with it,
// and writes down how the command ended.
class BatchRunner : public Runner {
 public:
  explicit BatchRunner(std::chrono::milliseconds pause) : pause_(pause) {}

  std::string start(const Task& task) final;
  TaskStatus poll(const Task& task, const std::string& handle) final;
  std::chrono::milliseconds pause() const final { return pause_; }

 protected:
  // Of a task whose script is written; the handle.
  virtual std::string submit(const Task& task) = 0;

  // Throws unavailable while the system does not answer.
  virtual BatchAnswer ask(const std::string& handle) = 0;

  virtual const char* system() const = 0;

 private:
  // A file may be seen later than the news that the job is over.
  bool has_been_over_for_long(const std::string& handle);

  const std::chrono::milliseconds pause_;
  std::mutex mutex_;
  std::map<std::string, std::chrono::steady_clock::time_point> over_since_;
};

// Runs a program of the batch system, without the agent's token in its environment.
ProgramOutcome run_batch_program(const std::vector<std::string>& command);

// The same; throws failed_precondition with what it said if it failed.
std::string batch_output(const std::vector<std::string>& command);

// What is handed over, and the variables that it reads. Throws invalid_argument for a name
// that no shell takes for a variable's.
std::string batch_script(const Task& task);
std::string batch_environment(const Task& task);

std::string first_word(const std::string& text);

}  // namespace mendel::cli
