#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "registry/services/caller.h"
#include "registry/services/edge.h"
#include "storage/base/clock.h"
#include "storage/base/digest.h"
#include "storage/base/reference.h"
#include "storage/manifest.h"

namespace mendel::registry {

enum class VersionState : std::uint8_t { active, yanked, deleted };
std::string_view to_string(VersionState state);

// One published version, with what may still change about it: its state and its aliases.
struct Version {
  VersionId id = 0;
  ArtifactId artifact_id = 0;
  NamespaceId namespace_id = 0;
  std::string artifact;  // "lhcb/lamarr-trk", as it was spelled when it was made
  storage::ArtifactKind kind = storage::ArtifactKind::model;
  VersionNumber number = 0;
  Digest digest;  // of the manifest
  VersionState state = VersionState::active;
  std::string state_reason;
  Timestamp created_at;
  std::string created_by;
  std::string message;
  std::map<std::string, std::string> labels;
  std::string metrics;  // JSON object: name to number, or "NaN", "Infinity", "-Infinity"
  std::optional<Digest> hyperparameters_digest;
  std::string hyperparameters;  // canonical JSON; empty without them
  std::string source;           // JSON object; empty without one
  std::string run;              // UUID; empty without one
  std::string job;              // UUID; empty without one
  std::vector<PedigreeEdge> inputs;
  std::size_t hidden_inputs = 0;  // left out of inputs: see visible_to()
  std::vector<PedigreeEdge> components;
  std::uint64_t size_bytes = 0;
  std::uint64_t file_count = 0;
  std::vector<std::string> aliases;

  std::string reference() const { return artifact + ":" + std::to_string(number); }

  // Whether all that it names as inputs lies in its own namespace, or outside.
  bool names_own_namespace_alone() const;
};

// What the edge makes of a version.
struct RenderedVersion {
  std::string document;  // the JSON answer
  std::string etag;      // of the document
};

// A version and what the edge makes of it, made once and shared.
struct VersionRecord {
  Version version;
  RenderedVersion rendered;
};

}  // namespace mendel::registry
