#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "registry/services/access.h"
#include "registry/services/jobs/job_making.h"
#include "registry/services/triggers/decision.h"
#include "registry/services/triggers/trigger_document.h"
#include "schema/database.h"
#include "schema/events.h"
#include "schema/triggers.h"
#include "storage/base/clock.h"
#include "storage/base/error.h"

namespace mendel::registry {

// Tells events to the triggers that listen, a few triggers at a time. What each decides,
// the jobs that they start, and how far the event has come are one transaction, that holds
// the event's row: whoever is killed or works at the same time, each trigger hears each
// event once.
//
// What a trigger can't be told is tried again, a few times, and then passed over: the
// others are told all the same, and the event is parked with the reason. Any thread.
class EventDelivery {
 public:
  EventDelivery(schema::Database& database, AccessService& access, JobMaking& jobs,
                const Clock& clock)
      : database_(database), access_(access), jobs_(jobs), clock_(clock) {}

  // Until the event is consumed or parked, or has to wait. Throws what has nothing to do
  // with it (unavailable …).
  void tell(std::int64_t event);

 private:
  // A trigger, and what it takes to let it decide.
  struct Listener {
    schema::TriggerRow row;
    TriggerDocument document;
    Decision decision;
    std::optional<std::string> refusal;   // its owner may not do this any more
    std::optional<JobMaking::Plan> plan;  // if it fires
    std::string no_plan;                  // … or why there is no plan
  };
  enum class Progress { more, done };

  Progress tell_some(std::int64_t id);
  Listener prepare(schema::TriggerRow row, const HeardEvent& event, Timestamp now);
  Progress commit(const schema::EventRow& event, const HeardEvent& heard,
                  std::span<const Listener> listeners, bool are_last, Timestamp now);
  std::optional<std::string> apply(schema::Transaction& tx, const HeardEvent& event,
                                   const Listener& listener, const schema::TriggerRow& row,
                                   Timestamp now);
  std::string make_job(schema::Transaction& tx, const Listener& listener,
                       const Cause& cause);
  void record_failure(const schema::EventRow& event,
                      std::span<const schema::TriggerRow> rows, const Error& error);

  schema::Database& database_;
  AccessService& access_;
  JobMaking& jobs_;
  const Clock& clock_;
};

TriggerState state_of(const schema::TriggerRow& trigger);
schema::TriggerStateRow row_of(const TriggerState& state, std::optional<Timestamp> next_at);

}  // namespace mendel::registry
