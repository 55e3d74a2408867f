#include "registry/services/triggers/event_delivery.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "registry/services/egress/repository_url.h"
#include "registry/services/triggers/owner.h"

namespace mendel::registry {

namespace {

using Outcome = Decision::Outcome;

constexpr std::size_t kTriggersAtOnce = 32;
constexpr std::int32_t kFailuresMax = 5;
constexpr int kConflictsMax = 3;
constexpr auto kFirstPause = std::chrono::seconds(1);  // and then twice as long each time

// Why a pipeline can make no job now, as its owner would be told.
bool is_told_by_a_failed_job(ErrorCode code) {
  switch (code) {
    case ErrorCode::not_found:
    case ErrorCode::gone:
    case ErrorCode::permission_denied:
    case ErrorCode::unprocessable:
    case ErrorCode::already_exists: return true;
    default: return false;
  }
}

// Says nothing of the event: the database is away, or full.
bool passes_by_itself(ErrorCode code) {
  switch (code) {
    case ErrorCode::unavailable:
    case ErrorCode::deadline_exceeded:
    case ErrorCode::out_of_space:
    case ErrorCode::cancelled: return true;
    default: return false;
  }
}

HeardEvent heard(const schema::EventRow& event) {
  const auto kind = parse_event_kind(event.kind);
  if (!kind) {
    throw Error(ErrorCode::data_loss,
                fmt::format("event {} has the unknown kind {}", event.id, event.kind));
  }
  try {
    return {.id = event.id,
            .kind = *kind,
            .payload = nlohmann::json::parse(event.payload),
            .chain = event.chain};
  } catch (const nlohmann::json::exception& error) {
    fail(ErrorCode::data_loss, fmt::format("read event {}", event.id), error);
  }
}

bool is_the_same(const schema::TriggerRow& a, const schema::TriggerRow& b) {
  return a.revision == b.revision && a.owner_id == b.owner_id &&
         a.owner_namespace == b.owner_namespace;
}

bool is_concerned(const Decision& decision) {
  return decision.outcome != Outcome::none && decision.outcome != Outcome::skipped;
}

}  // namespace

TriggerState state_of(const schema::TriggerRow& trigger) {
  const schema::TriggerStateRow& row = trigger.state;
  TriggerState state{.leaves = parse_progress(row.progress),
                     .pending = std::nullopt,
                     .due_at = row.due_at,
                     .fired_at = row.fired_at};
  if (row.pending) state.pending = parse_pending(*row.pending);
  return state;
}

schema::TriggerStateRow row_of(const TriggerState& state,
                               std::optional<Timestamp> next_at) {
  schema::TriggerStateRow row{.progress = progress_text(state),
                              .next_at = next_at,
                              .due_at = state.due_at,
                              .pending = std::nullopt,
                              .fired_at = state.fired_at};
  if (state.pending) row.pending = pending_text(*state.pending);
  return row;
}

void EventDelivery::tell(std::int64_t event) {
  while (tell_some(event) == Progress::more) {
  }
}

EventDelivery::Progress EventDelivery::tell_some(std::int64_t id) {
  for (int conflicts = 0;; ++conflicts) {
    std::optional<schema::EventRow> event;
    std::vector<schema::TriggerRow> rows;
    std::size_t limit = kTriggersAtOnce;
    database_.read("find who listens to an event", [&](schema::Transaction& tx) {
      event = schema::find_event(tx, id);
      if (!event || event->state != "unconsumed") return;
      // After a failure one by one, so that it is seen whose it is.
      limit = event->failures == 0 ? kTriggersAtOnce : 1;
      rows = schema::list_listeners(tx, {.topic = event->topic,
                                         .event = event->id,
                                         .after = event->after_trigger,
                                         .only = event->only_triggers,
                                         .limit = static_cast<std::int64_t>(limit)});
    });
    if (!event || event->state != "unconsumed") return Progress::done;
    const Timestamp now = clock_.now();
    try {
      const HeardEvent what = heard(*event);
      std::vector<Listener> listeners;
      for (const schema::TriggerRow& row : rows)
        listeners.push_back(prepare(row, what, now));
      return commit(*event, what, listeners, rows.size() < limit, now);
    } catch (const Error& error) {
      if (passes_by_itself(error.code())) throw;
      // A trigger, its pipeline or an input was changed meanwhile: what is so now?
      const bool is_conflict =
          error.code() == ErrorCode::aborted || error.code() == ErrorCode::not_found;
      if (is_conflict && conflicts < kConflictsMax) continue;
      record_failure(*event, rows, error);
      return rows.size() > 1 || event->failures + 1 >= kFailuresMax ? Progress::more
                                                                    : Progress::done;
    }
  }
}

EventDelivery::Listener EventDelivery::prepare(schema::TriggerRow row,
                                               const HeardEvent& event, Timestamp now) {
  TriggerDocument document = TriggerDocument::parse(row.document);
  Decision decision = decide(row.id, document, state_of(row), event, now);
  Listener listener{.row = std::move(row),
                    .document = std::move(document),
                    .decision = std::move(decision),
                    .refusal = std::nullopt,
                    .plan = std::nullopt,
                    .no_plan = ""};
  if (!is_concerned(listener.decision)) return listener;
  const Caller owner = owner_of(listener.row);
  auto refusal = find_refusal(access_, owner, listener.document);
  if (!refusal) refusal = find_refusal(access_, owner, event);
  if (refusal) {
    listener.refusal = refusal->detail;
  } else if (listener.decision.outcome == Outcome::fires) {
    try {
      listener.plan = jobs_.plan(listener.row.pipeline_id);
    } catch (const Error& error) {
      if (!is_told_by_a_failed_job(error.code())) throw;
      listener.no_plan = error.what();
    }
  }
  return listener;
}

EventDelivery::Progress EventDelivery::commit(const schema::EventRow& event,
                                              const HeardEvent& heard,
                                              std::span<const Listener> listeners,
                                              bool are_last, Timestamp now) {
  std::set<std::string> queues;
  const auto progress = database_.transact("tell an event", [&](schema::Transaction& tx) {
    queues.clear();
    const auto locked = schema::lock_unconsumed_event(tx, event.id);
    if (!locked || locked->after_trigger != event.after_trigger) return Progress::done;
    std::vector<std::int64_t> ids;
    for (const Listener& listener : listeners) ids.push_back(listener.row.id);
    for (const schema::TriggerRow& row : schema::lock_listeners(tx, ids)) {
      const auto listener = std::ranges::find(
          listeners, row.id, [](const Listener& one) { return one.row.id; });
      if (auto queue = apply(tx, heard, *listener, row, now)) {
        queues.insert(*std::move(queue));
      }
    }
    if (are_last) {
      schema::end_event(tx, event.id, now);
      return Progress::done;
    }
    schema::advance_event(tx, event.id, ids.back());
    return Progress::more;
  });
  for (const std::string& queue : queues) jobs_.announce(queue);
  return progress;
}

// The queue of the job that was made, if one was.
std::optional<std::string> EventDelivery::apply(schema::Transaction& tx,
                                                const HeardEvent& event,
                                                const Listener& listener,
                                                const schema::TriggerRow& row,
                                                Timestamp now) {
  if (!is_the_same(row, listener.row)) {
    throw Error(ErrorCode::aborted, row.full_name() + " was changed meanwhile");
  }
  Decision decision = decide(row.id, listener.document, state_of(row), event, now);
  if (decision.outcome == Outcome::none) return std::nullopt;
  schema::TriggerDecisionRow told{.event_id = event.id,
                                  .trigger_id = row.id,
                                  .at = now,
                                  .outcome = std::string(to_string(decision.outcome)),
                                  .reason = decision.reason,
                                  .job = std::nullopt};
  if (listener.refusal && is_concerned(decision)) {
    told.outcome = to_string(Outcome::refused);
    told.reason = *listener.refusal;
    schema::record_trigger_problem(tx, row.id, *listener.refusal, now);
    schema::insert_trigger_decision(tx, told);
    return std::nullopt;
  }
  std::optional<std::string> queue;
  if (decision.outcome == Outcome::fires) {
    if (listener.decision.outcome != Outcome::fires) {
      throw Error(ErrorCode::aborted,
                  row.full_name() + " was told something else meanwhile");
    }
    told.job = make_job(tx, listener, decision.cause);
    schema::record_firing(tx, row.id, decision.reason, *told.job);
    if (listener.plan) queue = listener.plan->spec.queue;
  }
  if (decision.outcome == Outcome::skipped) {
    schema::record_trigger_problem(tx, row.id, decision.reason, now);
  } else {
    schema::update_trigger_state(tx, row.id, row_of(decision.state, row.state.next_at));
  }
  schema::insert_trigger_decision(tx, told);
  return queue;
}

std::string EventDelivery::make_job(schema::Transaction& tx, const Listener& listener,
                                    const Cause& cause) {
  JobRequest request{.reason = cause.reason,
                     .actor = "trigger " + listener.row.full_name(),
                     .trigger = listener.row.id,
                     .trigger_name = listener.row.full_name(),
                     .chain = cause.chain,
                     .commit = std::nullopt,
                     .hyperparameters = std::nullopt,
                     .uuid = std::nullopt};
  if (!listener.plan) {
    return jobs_.insert_failed(tx, listener.row.pipeline_id, request, listener.no_plan);
  }
  const auto& source = listener.plan->spec.source;
  if (source && !cause.commit.empty() &&
      normal_repository(source->repository) == cause.repository) {
    request.commit = cause.commit;
  }
  return jobs_.insert(tx, *listener.plan, request);
}

void EventDelivery::record_failure(const schema::EventRow& event,
                                   std::span<const schema::TriggerRow> rows,
                                   const Error& error) {
  const Timestamp now = clock_.now();
  const std::string problem =
      rows.size() == 1 ? rows.front().full_name() + ": " + error.what() : error.what();
  // Who may read the event need not be able to read the trigger.
  const bool is_elsewhere =
      !rows.empty() && rows.front().namespace_id != event.namespace_id;
  const std::string told =
      is_elsewhere ? "a trigger elsewhere could not be told: it says why" : problem;
  spdlog::error("event {} ({}) could not be told: {}", event.id, event.topic, problem);
  database_.transact("record what failed", [&](schema::Transaction& tx) {
    const auto locked = schema::lock_unconsumed_event(tx, event.id);
    if (!locked || locked->after_trigger != event.after_trigger) return;
    if (rows.size() > 1) {
      schema::fail_event(tx, event.id, told, now);
    } else if (locked->failures + 1 < kFailuresMax) {
      schema::fail_event(tx, event.id, told, now + kFirstPause * (1 << locked->failures));
    } else if (rows.empty()) {
      schema::park_event(tx, event.id, problem, now);
    } else {
      schema::pass_over_trigger(tx, event.id, rows.front().id, told);
      schema::record_trigger_problem(tx, rows.front().id, problem, now);
    }
  });
}

}  // namespace mendel::registry
