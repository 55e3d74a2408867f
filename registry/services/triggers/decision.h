#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "registry/services/triggers/events.h"
#include "registry/services/triggers/trigger_document.h"
#include "storage/base/clock.h"

namespace mendel::registry {

// What an event does to a trigger: no clock, no database, so that the same decision can be
// made twice.

// As many triggers may lead to one job, one after the other.
inline constexpr std::size_t kChainMax = 8;

// However much comes in, a trigger that waits for quiet waits no longer than so many times
// its debounce.
inline constexpr int kDebounceTimesMax = 10;

struct HeardEvent {
  std::int64_t id = 0;
  EventKind kind = EventKind::new_version;
  nlohmann::json payload;
  std::vector<std::int64_t> chain;  // triggers that led here, the oldest first
};

// Why a trigger fires, and what the job must know of that.
struct Cause {
  std::string reason;
  std::vector<std::int64_t> chain;
  std::string repository;  // of a push, normalised; empty where no push was the cause
  std::string commit;      // that was pushed

  friend bool operator==(const Cause&, const Cause&) = default;
};

// What a trigger has heard since it fired last.
struct LeafProgress {
  std::optional<Cause> met;   // its condition is
  std::int32_t times = 0;     // of a metric: how often in a row, so far
  VersionNumber version = 0;  // … of this version

  friend bool operator==(const LeafProgress&, const LeafProgress&) = default;
};

// It will fire, unless more comes.
struct Pending {
  Timestamp since;
  std::int32_t events = 0;
  Cause cause;

  friend bool operator==(const Pending&, const Pending&) = default;
};

struct TriggerState {
  std::map<std::size_t, LeafProgress> leaves;  // by their places
  std::optional<Pending> pending;
  std::optional<Timestamp> due_at;    // while it is pending
  std::optional<Timestamp> fired_at;  // last

  friend bool operator==(const TriggerState&, const TriggerState&) = default;
};

struct Decision {
  enum class Outcome {
    none,     // the event does not concern it
    noted,    // it does, and more is needed
    waits,    // it fires later: after quiet, or its cooldown
    fires,    // now
    skipped,  // it would be a loop
    refused   // its owner may not do this any more: the dispatcher's word
  };
  Outcome outcome = Outcome::none;
  std::string reason;
  TriggerState state{};  // afterwards
  Cause cause{};         // of one that fires; its chain is that of the job
};
std::string_view to_string(Decision::Outcome outcome);

Decision decide(std::int64_t trigger_id, const TriggerDocument& trigger,
                const TriggerState& state, const HeardEvent& event, Timestamp now);

// When a trigger fires that has been pending since a time and has just heard of more.
Timestamp due_time(const TriggerDocument& trigger, Timestamp since,
                   std::optional<Timestamp> fired_at, Timestamp now);

// Events that time itself makes: the payload of one that says that the trigger has waited
// long enough, and of one that says that its schedules were due since a time (which was the
// time of the first of them).
nlohmann::json due_payload(const Pending& pending);
nlohmann::json schedule_payload(const TriggerDocument& trigger, Timestamp since,
                                Timestamp now);

// What becomes of one condition when the event is heard; nullopt: it is not concerned.
std::optional<LeafProgress> hear(const Condition& condition, const LeafProgress& progress,
                                 const HeardEvent& event);

// Whether the conditions that are met are enough.
bool is_met(const ConditionTree& tree, const std::map<std::size_t, LeafProgress>& leaves);

// As it is stored.
std::string progress_text(const TriggerState& state);
std::string pending_text(const Pending& pending);
std::map<std::size_t, LeafProgress> parse_progress(const std::string& text);
Pending parse_pending(const std::string& text);

}  // namespace mendel::registry
