#pragma once

#include "cli/agent/batch_runner.h"

namespace mendel::cli {

// Through sbatch, squeue, sacct and scancel; a job's name is the key of its attempt.
class SlurmRunner : public BatchRunner {
 public:
  SlurmRunner(std::vector<std::string> options, std::chrono::milliseconds pause)
      : BatchRunner(pause), options_(std::move(options)) {}

  std::optional<std::string> find(const Task& task) override;
  void cancel(const Task& task, const std::string& handle) override;

 protected:
  std::string submit(const Task& task) override;
  BatchAnswer ask(const std::string& handle) override;
  const char* system() const override { return "Slurm"; }

 private:
  const std::vector<std::string> options_;
};

// What a state of squeue or sacct means: "PENDING", "CANCELLED by 0".
BatchAnswer slurm_answer(const std::string& state);

// The number in what `sbatch --parsable` prints: "4711" or "4711;cluster". Throws
// failed_precondition.
std::string slurm_job_of(const std::string& output);

}  // namespace mendel::cli
