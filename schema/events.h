#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "schema/access.h"
#include "schema/database.h"
#include "storage/base/clock.h"

namespace mendel::schema {

// What has happened, and how far the triggers that listen have been told.

struct NewEvent {
  std::string kind;
  std::string topic;
  std::optional<std::int64_t> namespace_id;
  std::string payload;                   // JSON object
  std::vector<std::int64_t> chain;       // triggers that led here, the oldest first
  std::optional<std::string> cause_job;  // UUID
};
std::int64_t insert_event(Transaction& tx, const NewEvent& event);

struct EventRow : NewEvent {
  std::int64_t id = 0;
  std::string namespace_name;  // empty where it happened outside
  Timestamp created_at;
  std::string state;
  std::int64_t after_trigger = 0;
  std::optional<std::vector<std::int64_t>> only_triggers;
  std::vector<std::int64_t> parked_triggers;
  std::int32_t failures = 0;
  std::optional<Timestamp> retry_at;
  std::string problem;
  std::optional<Timestamp> consumed_at;
};

std::optional<EventRow> find_event(Transaction& tx, std::int64_t id);

// Locks its row. nullopt: it is not unconsumed any more, or somebody else works on it.
std::optional<EventRow> lock_unconsumed_event(Transaction& tx, std::int64_t id);

// Those to be told now, the oldest first, with ids above after.
std::vector<std::int64_t> list_unconsumed_events(Transaction& tx, Timestamp now,
                                                 std::int64_t after, std::int64_t limit);

// Of the namespaces that the viewer sees (an administrator: those from outside, too),
// newest first, those with ids below before.
std::vector<EventRow> list_events(Transaction& tx, const NamespaceViewer& viewer,
                                  const std::optional<std::string>& state,
                                  std::optional<std::int64_t> before, std::int64_t limit);

// The triggers up to this one have been told. Failures are forgotten.
void advance_event(Transaction& tx, std::int64_t id, std::int64_t after_trigger);

// All have been told: it is consumed, or parked where it could not be told to some.
void end_event(Transaction& tx, std::int64_t id, Timestamp now);

// Goes on past a trigger that it cannot be told to; remembers which, and why.
void pass_over_trigger(Transaction& tx, std::int64_t id, std::int64_t trigger,
                       const std::string& problem);

void fail_event(Transaction& tx, std::int64_t id, const std::string& problem,
                Timestamp retry_at);
void park_event(Transaction& tx, std::int64_t id, const std::string& problem,
                Timestamp now);

// A parked event is told again: to those that it could not be told to. False: it is not
// parked.
bool replay_event(Transaction& tx, std::int64_t id);

// Deletes events that were consumed before, up to limit. How many.
std::int64_t prune_events(Transaction& tx, Timestamp before, std::int64_t limit);

// A version that was measured, with what pointed at it then.
struct EvaluatedVersion {
  std::int64_t namespace_id = 0;
  std::string namespace_name;
  std::string artifact_name;
  std::int32_t number = 0;
  std::vector<std::string> aliases;
  bool is_latest = false;
};
std::optional<EvaluatedVersion> find_evaluated_version(Transaction& tx,
                                                       std::int64_t version_id);

// "lhcb/valid-2018:2"; empty where there is none.
std::string find_version_reference(Transaction& tx, std::int64_t version_id);

}  // namespace mendel::schema
