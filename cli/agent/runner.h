#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/agent/attempt_files.h"
#include "cli/agent/task_end.h"
#include "cli/process_environment.h"

namespace mendel::cli {

// A command that is to be run in the laid-out directory of an attempt.
struct Task {
  AttemptFiles files;
  std::string key;    // of this attempt and of nothing else: letters, digits and '-'
  std::string title;  // for people who look at a queue
  std::vector<std::string> command;
  Variables variables;  // beside those of the site
  std::optional<std::chrono::seconds> time_max;
};

struct TaskStatus {
  enum class State {
    waiting,  // to be run
    running,
    ended,  // and end says how
    gone    // it is not running, and there is nobody to say how it ended
  };
  State state;
  std::optional<TaskEnd> end = std::nullopt;
  std::string reason = "";  // of gone, and what there is to say of waiting
};

// Starts commands where an agent works. What it started goes on without it and without the
// agent, and is found again by its handle, or by the key if the agent died before it knew
// the handle. A command is run once, however often it is started. For any thread.
//
// Throws what starting a program throws, failed_precondition with what the program said,
// and unavailable where it is to be asked again later.
class Runner {
 public:
  virtual ~Runner() = default;

  // The handle by which it is found again.
  virtual std::string start(const Task& task) = 0;

  // The handle of what start() may have started. nullopt: it did not.
  virtual std::optional<std::string> find(const Task& task) = 0;

  virtual TaskStatus poll(const Task& task, const std::string& handle) = 0;

  // Ends the command with all its processes. Returns at once: poll() tells when it is over.
  virtual void cancel(const Task& task, const std::string& handle) = 0;

  // How long to wait between two poll().
  virtual std::chrono::milliseconds pause() const = 0;
};

struct RunnerOptions {
  std::string name = "shell";
  std::vector<std::string> slurm_options;   // of sbatch
  std::vector<std::string> condor_options;  // lines of the submission: "request_gpus = 1"
  std::chrono::milliseconds pause{5000};    // between questions to a batch system
};

// "shell", "slurm" or "htcondor".
std::unique_ptr<Runner> make_runner(const RunnerOptions& options);

// Our environment without what is the agent's own: its token above all.
std::vector<std::string> site_environment();

}  // namespace mendel::cli
