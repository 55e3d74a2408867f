#pragma once

#include "cli/agent/batch_runner.h"

namespace mendel::cli {

// Through condor_submit, condor_q, condor_history and condor_rm; a job's attribute
// MendelKey is the key of its attempt.
class HtcondorRunner : public BatchRunner {
 public:
  HtcondorRunner(std::vector<std::string> options, std::chrono::milliseconds pause)
      : BatchRunner(pause), options_(std::move(options)) {}

  std::optional<std::string> find(const Task& task) override;
  void cancel(const Task& task, const std::string& handle) override;

 protected:
  std::string submit(const Task& task) override;
  BatchAnswer ask(const std::string& handle) override;
  const char* system() const override { return "HTCondor"; }

 private:
  const std::vector<std::string> options_;
};

// What `condor_q -af JobStatus HoldReason` prints of one job means; "": it has none.
BatchAnswer condor_answer(const std::string& line);

// "4711.0" of what `condor_submit -terse` prints: "4711.0 - 4711.0". Throws
// failed_precondition.
std::string condor_job_of(const std::string& output);

// What condor_submit is given.
std::string condor_submission(const Task& task, const std::vector<std::string>& options);

}  // namespace mendel::cli
