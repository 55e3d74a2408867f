#pragma once

#include <optional>
#include <string>

#include "cli/agent/attempt_files.h"
#include "cli/agent/outputs.h"
#include "cli/api_client.h"
#include "storage/base/reference.h"
#include "storage/manifest.h"

namespace mendel::cli {

// How far an attempt is. Each is written down before its work begins, and the work may be
// done again from its begin by an agent that finds it: but for the command, which is run
// once.
enum class Phase { laying_out, starting, running, publishing, finishing };

// What an agent knows of an attempt that it has leased, as state.json has it.
class AttemptState {
 public:
  // lease is the server's answer. Throws internal where it lacks what an agent needs.
  explicit AttemptState(Json lease);

  // nullopt: there is none. Throws data_loss.
  static std::optional<AttemptState> find(const AttemptFiles& files);
  void save(const AttemptFiles& files) const;

  const std::string& job() const { return job_; }
  int number() const { return number_; }
  std::string key() const { return job_ + "-" + std::to_string(number_); }
  const std::string& token() const { return token_; }
  std::string pipeline() const;
  const Json& lease() const { return lease_; }

  Phase phase = Phase::laying_out;
  std::string run;          // its id, made here
  Json run_body = nullptr;  // what the run was started with, once it was
  std::string handle;       // of the runner, once the command is started
  Json end = nullptr;       // what is told when it finishes, once that is known

 private:
  Json lease_;
  std::string job_;
  int number_;
  std::string token_;
};

// What the pipeline says is to be made.
struct Production {
  ArtifactName artifact;
  storage::ArtifactKind kind;
  std::vector<OutputRule> files;
  std::string metrics;  // a path below source/; empty: none
  std::vector<std::string> aliases;
};
Production production_of(const Json& lease);

// "job 0190… (lhcb/retrain-trk), attempt 2".
std::string title_of(const AttemptState& state);

}  // namespace mendel::cli
