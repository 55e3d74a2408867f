#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "registry/services/edge.h"
#include "storage/base/reference.h"
#include "storage/manifest.h"

namespace mendel::registry {

// What the server itself needs of a pipeline's document; the rest of it is for the agent.
// The document was validated when it was applied (registry/api/pipeline_body.h).
struct PipelineSpec {
  struct Source {
    std::string repository;
    std::string ref;
    bool is_resolved_by_agent = false;
  };
  struct Input {
    std::string name;
    EdgeRole role = EdgeRole::trained_on;
    Reference ref;
  };

  std::string queue;
  std::optional<Source> source;
  std::vector<Input> inputs;
  std::optional<std::string> hyperparameters;  // canonical JSON
  std::optional<Reference> hyperparameters_of;
  ArtifactName artifact;  // that it produces
  storage::ArtifactKind kind = storage::ArtifactKind::model;
  std::vector<AliasName> aliases;  // that it moves to what it produces
  std::optional<std::int32_t> concurrency;
  std::optional<std::int32_t> per_day;
  std::int32_t attempts_max = kAttemptsDefault;
  std::int32_t backoff_seconds = kBackoffSecondsDefault;
  std::map<std::string, std::string> secrets;  // names of secrets, by variable

  static constexpr std::int32_t kAttemptsDefault = 3;
  static constexpr std::int32_t kBackoffSecondsDefault = 10;

  // Throws data_loss for what is no pipeline's document.
  static PipelineSpec parse(const std::string& document);
};

}  // namespace mendel::registry
