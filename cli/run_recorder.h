#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/api_client.h"
#include "cli/config.h"
#include "cli/pedigree_options.h"
#include "cli/tree_scan.h"
#include "storage/manifest.h"

namespace mendel::cli {

struct Checkpoint {
  std::int64_t step;
  storage::ArtifactKind kind;
  Json metrics;
};

// Where what a run does is recorded: on the server, or in a journal that will be sent
// there. All may be repeated, and is then recorded once. For one thread.
class RunRecorder {
 public:
  virtual ~RunRecorder() = default;

  // body has namespace, name and the id, made here; what pedigree says is added.
  virtual void start(Json body, const Pedigree& pedigree) = 0;

  // At most kPointsPerRequestMax of them. Returns {"accepted", "duplicates"}.
  virtual Json log(const std::string& run, const std::vector<Json>& points) = 0;

  // Returns what is known of it: on the server, the checkpoint.
  virtual Json checkpoint(const std::string& run, const Checkpoint& checkpoint,
                          std::vector<ScannedFile> files) = 0;

  // The body of a PATCH.
  virtual void finish(const std::string& run, const Json& body) = 0;
};

// In the journal that --journal or MENDEL_JOURNAL names, or else on the server.
std::unique_ptr<RunRecorder> open_recorder(const std::string& journal,
                                           const GlobalOptions& global);

Json checkpoint_body(const Checkpoint& checkpoint, const Digest& manifest);

std::string run_path(const std::string& run);  // /api/v1/runs/ID

// The run that --run or MENDEL_RUN names. Throws invalid_argument: none, or no id.
std::string chosen_run(const std::string& option);

// What every run command that records may be told.
struct RecordOptions {
  std::string run;
  std::string journal;
};

}  // namespace mendel::cli
