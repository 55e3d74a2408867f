#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "registry/services/triggers/cron.h"
#include "storage/base/glob.h"
#include "storage/base/reference.h"

namespace mendel::registry {

// What a trigger waits for: the leaves of its "when".

struct NewVersionCondition {
  ArtifactName artifact;
  std::map<std::string, std::string> labels;  // that the version must have
};

struct AliasMovedCondition {
  ArtifactName artifact;
  AliasName alias;
};

struct GitPushCondition {
  std::string repository;  // as it was written
  std::string normal;      // as normal_repository() makes it
  std::optional<Glob> branch;
  std::optional<Glob> tag;
  std::vector<Glob> paths;  // one of them must have changed; none: whatever changed
};

struct MetricCondition {
  Reference of;  // a version, an alias, or the latest
  std::string name;
  std::optional<double> above;  // one of the two
  std::optional<double> below;
  std::int32_t times = 1;                        // in a row
  std::optional<ArtifactName> dataset;           // that it was measured on
  std::optional<VersionNumber> dataset_version;  // … this version of it
};

struct KpiCondition {
  Name id;  // of one with a deadline, behind its pace
};

struct ScheduleCondition {
  Schedule schedule;
};

struct ManualCondition {};

using Condition =
    std::variant<NewVersionCondition, AliasMovedCondition, GitPushCondition,
                 MetricCondition, KpiCondition, ScheduleCondition, ManualCondition>;

// How the leaves hang together.
struct ConditionTree {
  enum class Kind { leaf, all, any };
  Kind kind = Kind::leaf;
  std::size_t leaf = 0;  // its place among the leaves
  std::vector<ConditionTree> parts{};
};

// A trigger, as it was applied.
struct TriggerDocument {
  ArtifactName pipeline;
  ConditionTree when;
  std::vector<Condition> leaves;
  std::chrono::seconds debounce{0};
  std::chrono::seconds cooldown{0};
  bool enabled = true;

  // The document was validated when it was applied (registry/api/trigger_body.h). Throws
  // data_loss for what is none.
  static TriggerDocument parse(const std::string& document);

  // The topics of the events that it must hear, each once; not its own.
  struct Topic {
    std::string topic;
    std::string repository;  // of a push: as it is reached; else empty
    bool wants_paths = false;
  };
  std::vector<Topic> topics() const;

  // The namespaces that its owner must be able to read.
  std::vector<Name> watched_namespaces() const;

  // The first moment after a time at which one of its schedules is due.
  std::optional<Timestamp> next_time(Timestamp after) const;

  bool has_manual() const;
};

// "a new version of lhcb/calib-2016 with data-taking=2016MU".
std::string describe(const Condition& condition);
std::string describe(const TriggerDocument& trigger);

}  // namespace mendel::registry
