#pragma once

#include <string>
#include <vector>

#include "cli/pedigree_options.h"
#include "cli/run_recorder.h"

namespace mendel::cli {

// What `run start` and `run exec` are told of the run that they make.
struct StartOptions {
  std::string name;  // NAMESPACE/NAME, or NAME alone
  std::string message;
  std::string keep;
  std::vector<std::string> labels;
  PedigreeOptions pedigree;
  std::string journal;
  std::vector<std::string> command;  // that the run is, if it is known
};

void declare_start_options(CLI::App& app, StartOptions& options);

// For the footers of both.
extern const char* const kStartHelp;

// A run that was started, and where it is recorded.
struct StartedRun {
  std::string id;
  ArtifactName name;
  std::unique_ptr<RunRecorder> recorder;
};

// Starts a run. name_otherwise is its name if the options have none; heartbeat_seconds is
// told to the server, 0: there will be no heartbeats. Throws before anything is made for
// whatever is wrong with the options.
StartedRun start_run(const StartOptions& options, const GlobalOptions& global,
                     const std::string& name_otherwise, int heartbeat_seconds);

}  // namespace mendel::cli
