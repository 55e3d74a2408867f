#include "registry/services/triggers/decision.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "storage/base/error.h"

namespace mendel::registry {

namespace {

using nlohmann::json;

// --- Conditions -------------------------------------------------------------------------

LeafProgress met(const HeardEvent& event, std::string reason) {
  return {.met = Cause{.reason = std::move(reason),
                       .chain = event.chain,
                       .repository = "",
                       .commit = ""}};
}

std::string by(const json& payload) {
  const auto name = payload.value("by", "");
  return name.empty() ? "" : ", by " + name;
}

bool has_labels(const json& labels, const std::map<std::string, std::string>& wanted) {
  return std::ranges::all_of(wanted, [&](const auto& label) {
    return labels.value(label.first, json()) == json(label.second);
  });
}

std::optional<LeafProgress> hear_version(const NewVersionCondition& condition,
                                         const HeardEvent& event) {
  const json& payload = event.payload;
  const auto artifact = ArtifactName::parse(payload.at("artifact").get<std::string>());
  if (artifact.folded() != condition.artifact.folded()) return std::nullopt;
  if (!has_labels(payload.value("labels", json::object()), condition.labels)) {
    return std::nullopt;
  }
  return met(event,
             fmt::format("{} is new{}", numbered_reference(artifact, payload.at("version")),
                         by(payload)));
}

std::optional<LeafProgress> hear_move(const AliasMovedCondition& condition,
                                      const HeardEvent& event) {
  const json& payload = event.payload;
  const auto artifact = ArtifactName::parse(payload.at("artifact").get<std::string>());
  const auto alias = AliasName::parse(payload.at("alias").get<std::string>());
  if (artifact.folded() != condition.artifact.folded() || !(alias == condition.alias)) {
    return std::nullopt;
  }
  return met(event, fmt::format("{}@{} has moved to {}{}", artifact.text(), alias.text(),
                                payload.at("version").get<VersionNumber>(), by(payload)));
}

bool names_ref(const GitPushCondition& condition, const json& push) {
  const auto branch = push.value("branch", "");
  const auto tag = push.value("tag", "");
  if (!condition.branch && !condition.tag) return true;
  return (condition.branch && !branch.empty() && condition.branch->matches(branch)) ||
         (condition.tag && !tag.empty() && condition.tag->matches(tag));
}

// A push that does not say which paths it changes may have changed any.
bool changes_path(const GitPushCondition& condition, const json& push) {
  const auto paths = push.find("paths");
  if (condition.paths.empty() || paths == push.end()) return true;
  return std::ranges::any_of(*paths, [&](const json& path) {
    return std::ranges::any_of(condition.paths, [&](const Glob& glob) {
      return glob.matches(path.get<std::string>());
    });
  });
}

std::optional<LeafProgress> hear_push(const GitPushCondition& condition,
                                      const HeardEvent& event) {
  const json& push = event.payload;
  if (push.at("repository").get<std::string>() != condition.normal) return std::nullopt;
  if (!names_ref(condition, push) || !changes_path(condition, push)) return std::nullopt;
  const auto commit = push.value("after", "");
  LeafProgress progress =
      met(event, fmt::format("{} was pushed to {} of {}", commit.substr(0, 12),
                             push.value("ref", "a ref"), condition.normal));
  progress.met->repository = condition.normal;
  progress.met->commit = commit;
  return progress;
}

bool is_of(const MetricCondition& condition, const json& evaluation) {
  const auto artifact = ArtifactName::parse(evaluation.at("artifact").get<std::string>());
  if (artifact.folded() != condition.of.artifact.folded()) return false;
  const auto& version = condition.of.version.value();
  if (std::holds_alternative<Latest>(version)) return evaluation.value("latest", false);
  if (const auto* number = std::get_if<VersionNumber>(&version)) {
    return evaluation.at("version") == *number;
  }
  const auto* alias = std::get_if<AliasName>(&version);
  return alias != nullptr &&
         std::ranges::any_of(evaluation.at("aliases"), [&](const json& name) {
           return AliasName::parse(name.get<std::string>()) == *alias;
         });
}

bool is_on(const MetricCondition& condition, const json& evaluation) {
  if (!condition.dataset) return true;
  const auto dataset = evaluation.value("dataset", "");
  if (dataset.empty()) return false;
  const auto ref = Reference::parse(dataset);
  if (ref.artifact.folded() != condition.dataset->folded()) return false;
  return !condition.dataset_version ||
         ref.version.value() == VersionRef::Value(*condition.dataset_version);
}

// Metrics that are no finite numbers are written as text. NaN is on no side of a threshold.
double metric_of(const json& value) {
  if (value.is_number()) return value.get<double>();
  if (value == "Infinity") return std::numeric_limits<double>::infinity();
  if (value == "-Infinity") return -std::numeric_limits<double>::infinity();
  return std::nan("");
}

std::optional<LeafProgress> hear_evaluation(const MetricCondition& condition,
                                            LeafProgress progress,
                                            const HeardEvent& event) {
  const json& evaluation = event.payload;
  if (!is_of(condition, evaluation) || !is_on(condition, evaluation)) return std::nullopt;
  const json& metrics = evaluation.at("metrics");
  const auto found = metrics.find(condition.name);
  if (found == metrics.end()) return std::nullopt;

  const double value = metric_of(*found);
  const bool is_across = (condition.above && value > *condition.above) ||
                         (condition.below && value < *condition.below);
  const auto version = evaluation.at("version").get<VersionNumber>();
  if (progress.version != version) progress = {.met = {}, .times = 0, .version = version};
  progress.times = is_across ? progress.times + 1 : 0;
  progress.met.reset();
  if (progress.times >= condition.times) {
    progress.met =
        met(event, fmt::format("{} of {} is {}, {} {}{}", condition.name,
                               numbered_reference(condition.of.artifact, version), value,
                               condition.above ? "above" : "below",
                               condition.above ? *condition.above : *condition.below,
                               condition.times > 1
                                   ? fmt::format(", {} times in a row", progress.times)
                                   : ""))
            .met;
  }
  return progress;
}

std::optional<LeafProgress> hear_kpi(const KpiCondition& condition,
                                     const HeardEvent& event) {
  const auto kpi = Name::parse("a KPI", event.payload.at("kpi").get<std::string>());
  if (kpi.folded() != condition.id.folded()) return std::nullopt;
  return met(event, fmt::format("{} is behind its pace: it is {}, and {:.1f} was expected",
                                kpi.text(), event.payload.at("value").get<double>(),
                                event.payload.at("expected").get<double>()));
}

json name_of(const Schedule& schedule) {
  return {{"schedule", schedule.expression()}, {"timezone", schedule.zone()}};
}

std::optional<LeafProgress> hear_time(const ScheduleCondition& condition,
                                      const HeardEvent& event) {
  const json& due = event.payload.at("schedules");
  if (std::ranges::find(due, name_of(condition.schedule)) == due.end()) return std::nullopt;
  return met(event, fmt::format("the schedule {} ({}) was due at {}",
                                condition.schedule.expression(), condition.schedule.zone(),
                                event.payload.at("due_at").get<std::string>()));
}

std::optional<LeafProgress> hear_person(const HeardEvent& event) {
  const auto reason = event.payload.value("reason", "");
  return met(event, fmt::format("fired{}{}", by(event.payload),
                                reason.empty() ? "" : ": " + reason));
}

// --- Causes -----------------------------------------------------------------------------

// What leads to a job that has several causes is all of what led to them, so that none of
// these triggers fires again for it; but where that alone would end the chain, the longest.
std::vector<std::int64_t> merged(const std::vector<std::int64_t>& first,
                                 const std::vector<std::int64_t>& second) {
  std::vector<std::int64_t> both = first;
  for (const std::int64_t trigger : second) {
    if (std::ranges::find(both, trigger) == both.end()) both.push_back(trigger);
  }
  if (both.size() < kChainMax) return both;
  return first.size() > second.size() ? first : second;
}

// newer: the one whose push counts.
Cause combined(const Cause& older, const Cause& newer, std::string reason) {
  const Cause& push = newer.commit.empty() ? older : newer;
  return {.reason = std::move(reason),
          .chain = merged(older.chain, newer.chain),
          .repository = push.repository,
          .commit = push.commit};
}

// Of the conditions that are met; at least one is.
Cause cause_of(const std::map<std::size_t, LeafProgress>& leaves) {
  std::optional<Cause> cause;
  for (const auto& [place, leaf] : leaves) {
    if (!leaf.met) continue;
    cause = cause ? combined(*cause, *leaf.met, cause->reason + "; " + leaf.met->reason)
                  : *leaf.met;
  }
  return cause.value_or(Cause{});
}

json to_json(const Cause& cause) {
  json document{{"reason", cause.reason}, {"chain", cause.chain}};
  if (!cause.commit.empty()) {
    document["repository"] = cause.repository;
    document["commit"] = cause.commit;
  }
  return document;
}

Cause cause_from(const json& document) {
  return {.reason = document.at("reason").get<std::string>(),
          .chain = document.at("chain").get<std::vector<std::int64_t>>(),
          .repository = document.value("repository", ""),
          .commit = document.value("commit", "")};
}

Decision fire_for(std::int64_t trigger_id, TriggerState state, Cause cause, Timestamp now) {
  state.fired_at = now;
  cause.chain.push_back(trigger_id);
  std::string reason = cause.reason;
  return {.outcome = Decision::Outcome::fires,
          .reason = std::move(reason),
          .state = std::move(state),
          .cause = std::move(cause)};
}

// Everything that was heard so far is used up.
Decision fire(std::int64_t trigger_id, TriggerState state, Cause cause, Timestamp now) {
  state.leaves.clear();
  state.pending.reset();
  state.due_at.reset();
  return fire_for(trigger_id, std::move(state), std::move(cause), now);
}

// What it waited with was taken when its time had come: what it has heard since is for the
// next time.
Decision fire_after_waiting(std::int64_t trigger_id, const TriggerState& state,
                            const HeardEvent& event, Timestamp now) {
  return fire_for(trigger_id, state, cause_from(event.payload.at("cause")), now);
}

Decision wait(TriggerState state, Cause cause, Timestamp due_at, Timestamp now) {
  const std::string reason = cause.reason;
  if (!state.pending) state.pending = Pending{.since = now, .events = 0, .cause = cause};
  Pending& pending = *state.pending;
  ++pending.events;
  pending.cause = combined(pending.cause, cause, reason);
  state.due_at = due_at;
  return {.outcome = Decision::Outcome::waits,
          .reason = fmt::format("{}: fires at {} unless more comes", reason,
                                format_rfc3339(due_at)),
          .state = std::move(state)};
}

std::optional<std::string> loop_of(std::int64_t trigger_id, const HeardEvent& event) {
  if (std::ranges::find(event.chain, trigger_id) != event.chain.end()) {
    return "what it started has led here: it does not fire for that again";
  }
  if (event.chain.size() >= kChainMax) {
    return fmt::format("{} triggers have led here one after the other, and no more may",
                       kChainMax);
  }
  return std::nullopt;
}

template <class Read>
auto parse_stored(const std::string& text, Read read) {
  try {
    return read(json::parse(text));
  } catch (const json::exception& error) {
    fail(ErrorCode::data_loss, "read what a trigger has heard", error);
  }
}

}  // namespace

std::string_view to_string(Decision::Outcome outcome) {
  using enum Decision::Outcome;
  switch (outcome) {
    case none: return "none";
    case noted: return "noted";
    case waits: return "waits";
    case fires: return "fired";
    case skipped: return "skipped";
    case refused: return "refused";
  }
  return "none";
}

std::optional<LeafProgress> hear(const Condition& condition, const LeafProgress& progress,
                                 const HeardEvent& event) {
  switch (event.kind) {
    case EventKind::new_version:
      if (const auto* version = std::get_if<NewVersionCondition>(&condition)) {
        return hear_version(*version, event);
      }
      break;
    case EventKind::alias_moved:
      if (const auto* moved = std::get_if<AliasMovedCondition>(&condition)) {
        return hear_move(*moved, event);
      }
      break;
    case EventKind::git_push:
      if (const auto* push = std::get_if<GitPushCondition>(&condition)) {
        return hear_push(*push, event);
      }
      break;
    case EventKind::evaluation:
      if (const auto* metric = std::get_if<MetricCondition>(&condition)) {
        return hear_evaluation(*metric, progress, event);
      }
      break;
    case EventKind::kpi:
      if (const auto* kpi = std::get_if<KpiCondition>(&condition)) {
        return hear_kpi(*kpi, event);
      }
      break;
    case EventKind::schedule:
      if (const auto* schedule = std::get_if<ScheduleCondition>(&condition)) {
        return hear_time(*schedule, event);
      }
      break;
    case EventKind::manual:
      if (std::holds_alternative<ManualCondition>(condition)) return hear_person(event);
      break;
    case EventKind::due: break;
  }
  return std::nullopt;
}

bool is_met(const ConditionTree& tree, const std::map<std::size_t, LeafProgress>& leaves) {
  const auto part_is_met = [&](const ConditionTree& part) { return is_met(part, leaves); };
  switch (tree.kind) {
    case ConditionTree::Kind::leaf: {
      const auto leaf = leaves.find(tree.leaf);
      return leaf != leaves.end() && leaf->second.met.has_value();
    }
    case ConditionTree::Kind::all: return std::ranges::all_of(tree.parts, part_is_met);
    case ConditionTree::Kind::any: return std::ranges::any_of(tree.parts, part_is_met);
  }
  return false;
}

Timestamp due_time(const TriggerDocument& trigger, Timestamp since,
                   std::optional<Timestamp> fired_at, Timestamp now) {
  Timestamp due = std::min<Timestamp>(now + trigger.debounce,
                                      since + kDebounceTimesMax * trigger.debounce);
  if (fired_at) due = std::max<Timestamp>(due, *fired_at + trigger.cooldown);
  return due;
}

Decision decide(std::int64_t trigger_id, const TriggerDocument& trigger,
                const TriggerState& state, const HeardEvent& event, Timestamp now) try {
  using enum Decision::Outcome;
  if (event.kind == EventKind::due) {
    return fire_after_waiting(trigger_id, state, event, now);
  }
  TriggerState after = state;
  bool is_concerned = false;
  bool is_news = false;  // and not that something is no longer the case
  for (std::size_t place = 0; place < trigger.leaves.size(); ++place) {
    const auto known = state.leaves.find(place);
    const auto progress =
        hear(trigger.leaves[place],
             known == state.leaves.end() ? LeafProgress() : known->second, event);
    if (!progress) continue;
    is_concerned = true;
    is_news = is_news || progress->met.has_value();
    after.leaves[place] = *progress;
  }
  if (!is_concerned) return {.outcome = none, .reason = "", .state = state};
  if (const auto loop = loop_of(trigger_id, event)) {
    return {.outcome = skipped, .reason = *loop, .state = state};
  }
  if (!is_news || !is_met(trigger.when, after.leaves)) {
    return {
        .outcome = noted,
        .reason = is_news ? "more is needed" : "the threshold is not crossed often enough",
        .state = std::move(after)};
  }
  const Cause cause = cause_of(after.leaves);
  const Timestamp since = after.pending ? after.pending->since : now;
  const Timestamp due = due_time(trigger, since, after.fired_at, now);
  // Who fires it by hand does not want to wait.
  if (event.kind != EventKind::manual && due > now) {
    return wait(std::move(after), cause, due, now);
  }
  return fire(trigger_id, std::move(after), cause, now);
} catch (const json::exception& error) {
  fail(ErrorCode::data_loss, fmt::format("read event {}", event.id), error);
}

json due_payload(const Pending& pending) {
  Cause cause = pending.cause;
  if (pending.events > 1) {
    cause.reason += fmt::format(" (the last of {} events since {})", pending.events,
                                format_rfc3339(pending.since));
  }
  return {{"cause", to_json(cause)}};
}

json schedule_payload(const TriggerDocument& trigger, Timestamp since, Timestamp now) {
  auto schedules = json::array();
  for (const Condition& leaf : trigger.leaves) {
    const auto* condition = std::get_if<ScheduleCondition>(&leaf);
    if (condition == nullptr) continue;
    const bool is_due =
        condition->schedule.next(since - std::chrono::microseconds(1)) <= now;
    if (is_due) schedules.push_back(name_of(condition->schedule));
  }
  return {{"due_at", format_rfc3339(since)}, {"schedules", std::move(schedules)}};
}

std::string progress_text(const TriggerState& state) {
  auto document = json::object();
  for (const auto& [place, leaf] : state.leaves) {
    json& stored = document[std::to_string(place)] = json::object();
    if (leaf.met) stored["met"] = to_json(*leaf.met);
    if (leaf.version != 0) {
      stored["times"] = leaf.times;
      stored["version"] = leaf.version;
    }
  }
  return document.dump();
}

std::map<std::size_t, LeafProgress> parse_progress(const std::string& text) {
  return parse_stored(text, [](const json& document) {
    std::map<std::size_t, LeafProgress> leaves;
    for (const auto& [place, stored] : document.items()) {
      LeafProgress& leaf = leaves[std::stoul(place)];
      if (stored.contains("met")) leaf.met = cause_from(stored.at("met"));
      leaf.times = stored.value("times", 0);
      leaf.version = stored.value("version", 0);
    }
    return leaves;
  });
}

std::string pending_text(const Pending& pending) {
  return json{{"since", format_rfc3339(pending.since)},
              {"events", pending.events},
              {"cause", to_json(pending.cause)}}
      .dump();
}

Pending parse_pending(const std::string& text) {
  return parse_stored(text, [](const json& document) {
    return Pending{.since = parse_rfc3339(document.at("since").get<std::string>()),
                   .events = document.at("events").get<std::int32_t>(),
                   .cause = cause_from(document.at("cause"))};
  });
}

}  // namespace mendel::registry
