#pragma once

#include <filesystem>

namespace mendel::cli {

// Where everything of one attempt of a job lies, below the agent's directory:
//
//   DIR/agent.lock          held by the agent that works here
//   DIR/jobs/JOB-ATTEMPT/
//     state.json            what the agent knows of the attempt; 0600, for its token
//     source/               the checkout, in which the command runs; inputs and params.json
//     inputs/NAME/          are linked into it, as `reproduce` has them
//     params.json
//     log                   what the command and, in lines that begin with "mendel: ", the
//                           agent say
//     log.sent              how much of it the server has
//     supervisor            who watches over the command (shell runner)
//     job.sh environment    what a batch system runs; 0600, for token and secrets
//     batch.out             what the batch system itself says
//     claimed/              made by job.sh, so that it runs once
//     begin                 as old as the command
//     end.json times        how it ended
class AttemptFiles {
 public:
  explicit AttemptFiles(std::filesystem::path directory)
      : directory_(std::move(directory)) {}

  const std::filesystem::path& directory() const { return directory_; }
  std::filesystem::path state() const { return directory_ / "state.json"; }
  std::filesystem::path source() const { return directory_ / "source"; }
  std::filesystem::path log() const { return directory_ / "log"; }
  std::filesystem::path log_sent() const { return directory_ / "log.sent"; }
  std::filesystem::path supervisor() const { return directory_ / "supervisor"; }
  std::filesystem::path script() const { return directory_ / "job.sh"; }
  std::filesystem::path environment() const { return directory_ / "environment"; }
  std::filesystem::path submission() const { return directory_ / "job.sub"; }
  std::filesystem::path batch_output() const { return directory_ / "batch.out"; }
  std::filesystem::path begin() const { return directory_ / "begin"; }
  std::filesystem::path end() const { return directory_ / "end.json"; }
  std::filesystem::path times() const { return directory_ / "times"; }

 private:
  std::filesystem::path directory_;
};

}  // namespace mendel::cli
