#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "schema/access.h"
#include "schema/database.h"
#include "storage/base/clock.h"

namespace mendel::schema {

// What a trigger has heard, and when its time comes.
struct TriggerStateRow {
  std::string progress = "{}";         // JSON object
  std::optional<Timestamp> next_at;    // its schedule is due
  std::optional<Timestamp> due_at;     // it fires, unless more comes
  std::optional<std::string> pending;  // JSON object, with due_at
  std::optional<Timestamp> fired_at;
};

struct TriggerRow {
  std::int64_t id = 0;
  std::int64_t namespace_id = 0;
  std::string namespace_name;
  std::string name;
  std::string document;  // canonical JSON
  std::int64_t pipeline_id = 0;
  bool enabled = false;
  std::int32_t revision = 0;
  std::int64_t owner_id = 0;
  std::string owner;
  bool owner_is_admin = false;
  std::optional<std::int64_t> owner_namespace;
  Timestamp created_at;
  std::string created_by;
  Timestamp updated_at;
  std::string updated_by;
  TriggerStateRow state;
  std::string fired_reason;
  std::string fired_job;  // UUID; empty: none yet
  std::string problem;    // why it last did not fire; empty: nothing to tell
  std::optional<Timestamp> problem_at;

  std::string full_name() const { return namespace_name + "/" + name; }
};

std::optional<TriggerRow> find_trigger(Transaction& tx, const std::string& folded_namespace,
                                       const std::string& folded_name);
std::optional<TriggerRow> lock_trigger(Transaction& tx, const std::string& folded_namespace,
                                       const std::string& folded_name);

// nullopt: it was deleted, or somebody else works on it.
std::optional<TriggerRow> lock_trigger_unless_locked(Transaction& tx, std::int64_t id);

struct TriggerEdit {
  std::string document;
  std::int64_t pipeline_id = 0;
  bool enabled = false;
  std::int64_t owner_id = 0;
  std::optional<std::int64_t> owner_namespace;
  Timestamp at;
  std::string by;
};

// nullopt: the name is taken.
std::optional<std::int64_t> insert_trigger(Transaction& tx, std::int64_t namespace_id,
                                           const std::string& name,
                                           const TriggerEdit& edit);
// The next revision of it.
void update_trigger(Transaction& tx, std::int64_t id, const TriggerEdit& edit);

// Who it acts for, where nothing else changed.
void update_trigger_owner(Transaction& tx, std::int64_t id, const TriggerEdit& edit);
void delete_trigger(Transaction& tx, std::int64_t id);

void update_trigger_state(Transaction& tx, std::int64_t id, const TriggerStateRow& state);
// It hears of no event that there is already, and of each that commits later; those that
// are being written are waited for.
void hear_from_now(Transaction& tx, std::int64_t id);
void record_firing(Transaction& tx, std::int64_t id, const std::string& reason,
                   const std::string& job);
void record_trigger_problem(Transaction& tx, std::int64_t id, const std::string& problem,
                            Timestamp now);

struct TriggerTopicRow {
  std::string topic;
  std::optional<std::string> repository;
  bool wants_paths = false;
};
// In place of those that it had.
void replace_trigger_topics(Transaction& tx, std::int64_t trigger,
                            std::span<const TriggerTopicRow> topics);

struct TriggerFilter {
  std::optional<std::string> folded_namespace;
  std::optional<std::int64_t> pipeline_id;
};
// Newest first, those with ids below before.
std::vector<TriggerRow> list_triggers(Transaction& tx, const NamespaceViewer& viewer,
                                      const TriggerFilter& filter,
                                      std::optional<std::int64_t> before,
                                      std::int64_t limit);

// Those enabled that listen to a topic and were applied before the event happened, in order
// of their ids, after one of them. only: none but these, whenever they were applied.
struct ListenerPage {
  std::string topic;
  std::int64_t event = 0;
  std::int64_t after = 0;
  std::optional<std::vector<std::int64_t>> only;
  std::int64_t limit = 0;
};
std::vector<TriggerRow> list_listeners(Transaction& tx, const ListenerPage& page);

// The same rows, locked, in order; those that are gone or disabled by now are missing.
std::vector<TriggerRow> lock_listeners(Transaction& tx, std::span<const std::int64_t> ids);

// Those whose schedule or whose patience is over.
std::vector<std::int64_t> list_due_triggers(Transaction& tx, Timestamp now,
                                            std::int64_t limit);

struct TriggerDecisionRow {
  std::int64_t event_id = 0;
  std::int64_t trigger_id = 0;
  Timestamp at;
  std::string outcome;
  std::string reason;
  std::optional<std::string> job;  // UUID
};
void insert_trigger_decision(Transaction& tx, const TriggerDecisionRow& decision);

// Newest event first.
std::vector<TriggerDecisionRow> list_trigger_decisions(Transaction& tx,
                                                       std::int64_t trigger,
                                                       std::int64_t limit);

// --- Cycles -----------------------------------------------------------------------------

// Until the transaction ends nobody else who calls this applies a trigger or a pipeline:
// two that are harmless by themselves could make a cycle together.
void hold_off_cycles(Transaction& tx);

// A trigger that hears of something, and the pipeline that it starts then.
struct PipelineLink {
  std::optional<std::int64_t> from;  // the pipeline that makes it
  std::int64_t to = 0;
  std::string trigger_namespace;
  std::string trigger;  // "lhcb/on-new-trk"
  std::string to_namespace;
  std::string to_name;  // "lhcb/retrain-pid"
};
// Those that hear of what these pipelines make: versions, and the aliases that they move.
std::vector<PipelineLink> list_links_from(Transaction& tx,
                                          std::span<const std::int64_t> pipelines);
// Those that hear of something under these topics.
std::vector<PipelineLink> list_links_of(Transaction& tx,
                                        std::span<const std::string> topics);

// Triggers that start a pipeline, "lhcb/on-new-calib", up to limit.
std::vector<std::string> list_triggers_of(Transaction& tx, std::int64_t pipeline,
                                          std::int64_t limit);

// --- Who leads --------------------------------------------------------------------------

// Whether holder leads a task now, and goes on until so long from now, by the database's
// clock.
bool try_to_lead(Transaction& tx, std::string_view task, std::string_view holder,
                 std::int32_t milliseconds);
void stop_leading(Transaction& tx, std::string_view task, std::string_view holder);

}  // namespace mendel::schema
