#include "registry/services/triggers/trigger_times.h"

#include <spdlog/spdlog.h>

#include <chrono>
#include <utility>

#include "registry/services/triggers/decision.h"
#include "registry/services/triggers/event_delivery.h"
#include "registry/services/triggers/events.h"
#include "schema/triggers.h"
#include "storage/base/error.h"

namespace mendel::registry {

namespace {

constexpr std::int64_t kTriggersAtOnce = 100;

// Until a trigger that can't be read is looked at again.
constexpr auto kDamagedPause = std::chrono::hours(1);

}  // namespace

std::size_t TriggerTimes::record_due() {
  const Timestamp now = clock_.now();
  const auto due =
      database_.read("find triggers that are due", [&](schema::Transaction& tx) {
        return schema::list_due_triggers(tx, now, kTriggersAtOnce);
      });
  for (const std::int64_t trigger : due) {
    try {
      database_.transact("record that a trigger is due",
                         [&](schema::Transaction& tx) { record(tx, trigger, now); });
    } catch (const Error& error) {
      if (error.code() != ErrorCode::data_loss) throw;
      put_off(trigger, error.what(), now);
    }
  }
  return due.size();
}

void TriggerTimes::record(schema::Transaction& tx, std::int64_t id, Timestamp now) {
  const auto row = schema::lock_trigger_unless_locked(tx, id);
  if (!row) return;
  TriggerState state = state_of(*row);
  auto next_at = row->state.next_at;
  const auto record_own = [&](EventKind kind, const nlohmann::json& payload,
                              std::vector<std::int64_t> chain) {
    record_event(tx, {.kind = kind,
                      .topic = trigger_topic(id),
                      .ns = row->namespace_id,
                      .payload = payload.dump(),
                      .chain = std::move(chain),
                      .cause_job = ""});
  };
  if (state.due_at && *state.due_at <= now) {
    record_own(EventKind::due, due_payload(*state.pending), state.pending->cause.chain);
    state.leaves.clear();
    state.pending.reset();
    state.due_at.reset();
    state.fired_at = now;  // its cooldown begins
  }
  if (next_at && *next_at <= now) {
    const auto document = TriggerDocument::parse(row->document);
    record_own(EventKind::schedule, schedule_payload(document, *next_at, now), {});
    next_at = document.next_time(now);
  }
  schema::update_trigger_state(tx, id, row_of(state, next_at));
}

void TriggerTimes::put_off(std::int64_t trigger, const std::string& problem,
                           Timestamp now) {
  spdlog::error("trigger {}: {}", trigger, problem);
  database_.transact("put off a trigger", [&](schema::Transaction& tx) {
    const auto row = schema::lock_trigger_unless_locked(tx, trigger);
    if (!row) return;
    auto state = row->state;
    if (state.due_at) state.due_at = now + kDamagedPause;
    if (state.next_at) state.next_at = now + kDamagedPause;
    schema::update_trigger_state(tx, trigger, state);
    schema::record_trigger_problem(tx, trigger, problem, now);
  });
}

}  // namespace mendel::registry
