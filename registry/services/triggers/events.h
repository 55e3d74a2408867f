#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "registry/services/caller.h"
#include "registry/services/triggers/topics.h"
#include "schema/database.h"
#include "storage/base/reference.h"

namespace mendel::registry {

// What happens, told to the triggers. An event is a row in the transaction of what caused
// it: there is no moment at which one of the two is there alone. Whoever commits one
// announces kEventsTopic at the change feed, so that the local dispatcher need not wait for
// its next look.

inline constexpr std::string_view kEventsTopic = "event";

enum class EventKind : std::uint8_t {
  new_version,
  alias_moved,
  evaluation,
  git_push,
  schedule,  // the time of a trigger's schedule has come
  manual,    // somebody fires a trigger by hand
  kpi,       // a KPI has fallen behind its pace
  due        // a trigger that was waiting for more has waited long enough
};
std::string_view to_string(EventKind kind);
std::optional<EventKind> parse_event_kind(std::string_view text);

struct NewEvent {
  EventKind kind = EventKind::new_version;
  std::string topic;
  std::optional<NamespaceId> ns;    // where it happened; none: outside
  std::string payload;              // JSON object, what there is to know
  std::vector<std::int64_t> chain;  // triggers that led here, the oldest first
  std::string cause_job;            // UUID of the job that caused it; empty: none did
};

// The event, caused by this caller: where that is an attempt at a job, with the triggers
// that led to the job.
NewEvent caused_by(schema::Transaction& tx, const Caller& caller, NewEvent event);

// The event's id.
std::int64_t record_event(schema::Transaction& tx, const NewEvent& event);

// A new version of an artifact, as the triggers are told of it.
struct VersionEvent {
  ArtifactName artifact;
  NamespaceId ns = 0;
  std::string kind;  // of the artifact
  VersionNumber number = 0;
  std::string digest;
  std::string labels;  // JSON object
};
void record_new_version(schema::Transaction& tx, const Caller& caller,
                        const VersionEvent& version);

// An alias points at a version now.
struct AliasEvent {
  ArtifactName artifact;
  NamespaceId ns = 0;
  AliasName alias;
  VersionNumber number = 0;
  std::optional<VersionNumber> previous;
};
void record_alias_move(schema::Transaction& tx, const Caller& caller,
                       const AliasEvent& move);

// A version was measured.
struct EvaluationEvent {
  VersionId version = 0;
  std::optional<VersionId> dataset;
  std::string uuid;
  std::string metrics;  // JSON object
};
void record_evaluation(schema::Transaction& tx, const Caller& caller,
                       const EvaluationEvent& evaluation);

}  // namespace mendel::registry
