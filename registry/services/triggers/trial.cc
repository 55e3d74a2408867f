// What a trigger would do if it were told how things stand: the same decisions, of events
// that are made up of what is stored and kept nowhere.

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "registry/services/triggers/event_delivery.h"
#include "registry/services/triggers/owner.h"
#include "registry/services/triggers/triggers.h"
#include "schema/aliases.h"
#include "schema/artifacts.h"
#include "schema/evaluations.h"
#include "schema/versions.h"

namespace mendel::registry {

namespace {

using nlohmann::json;

std::optional<schema::VersionRow> find_version(schema::Transaction& tx,
                                               std::int64_t artifact,
                                               const VersionRef& ref) {
  if (const auto* alias = std::get_if<AliasName>(&ref.value())) {
    return schema::find_version_by_alias(tx, artifact, alias->folded());
  }
  if (const auto* number = std::get_if<VersionNumber>(&ref.value())) {
    return schema::find_version(tx, artifact, *number);
  }
  return schema::find_latest_version(tx, artifact);
}

HeardEvent made_up(EventKind kind, json payload) {
  return {.id = 0, .kind = kind, .payload = std::move(payload), .chain = {}};
}

std::vector<HeardEvent> newest_version(schema::Transaction& tx,
                                       const NewVersionCondition& condition) {
  const ArtifactName& name = condition.artifact;
  const auto artifact = schema::find_artifact(tx, name.ns().folded(), name.name().folded());
  if (!artifact) return {};
  const auto version = schema::find_latest_version(tx, artifact->id);
  if (!version) return {};
  return {made_up(EventKind::new_version, {{"artifact", name.text()},
                                           {"version", version->number},
                                           {"labels", json::parse(version->labels)},
                                           {"by", version->created_by}})};
}

std::vector<HeardEvent> last_move(schema::Transaction& tx,
                                  const AliasMovedCondition& condition) {
  const ArtifactName& name = condition.artifact;
  const auto artifact = schema::find_artifact(tx, name.ns().folded(), name.name().folded());
  if (!artifact) return {};
  const auto move = schema::find_alias(tx, artifact->id, condition.alias.folded());
  if (!move || !move->version) return {};
  return {made_up(EventKind::alias_moved, {{"artifact", name.text()},
                                           {"alias", condition.alias.text()},
                                           {"version", *move->version},
                                           {"by", move->moved_by}})};
}

std::vector<HeardEvent> last_evaluations(schema::Transaction& tx,
                                         const MetricCondition& condition) {
  constexpr std::int64_t kEvaluationsMax = 1000;
  const ArtifactName& name = condition.of.artifact;
  const auto artifact = schema::find_artifact(tx, name.ns().folded(), name.name().folded());
  if (!artifact) return {};
  const auto version = find_version(tx, artifact->id, condition.of.version);
  if (!version) return {};
  std::vector<HeardEvent> events;
  for (const auto& evaluation :
       schema::list_evaluations(tx, version->id, std::nullopt, kEvaluationsMax)) {
    json payload{{"artifact", name.text()},
                 {"version", version->number},
                 {"aliases", version->aliases},
                 {"latest", true},
                 {"metrics", json::parse(evaluation.metrics)}};
    if (!evaluation.dataset.empty()) payload["dataset"] = evaluation.dataset;
    events.insert(events.begin(), made_up(EventKind::evaluation, std::move(payload)));
  }
  return events;
}

}  // namespace

std::vector<HeardEvent> TriggerService::how_things_stand(schema::Transaction& tx,
                                                         const Condition& condition) {
  if (const auto* version = std::get_if<NewVersionCondition>(&condition)) {
    return newest_version(tx, *version);
  }
  if (const auto* moved = std::get_if<AliasMovedCondition>(&condition)) {
    return last_move(tx, *moved);
  }
  if (const auto* metric = std::get_if<MetricCondition>(&condition)) {
    return last_evaluations(tx, *metric);
  }
  return {};
}

TriggerService::Trial TriggerService::try_out(const Row& row) {
  const auto document = TriggerDocument::parse(row.document);
  auto leaves = state_of(row).leaves;
  database_.read("see how things stand", [&](schema::Transaction& tx) {
    for (std::size_t place = 0; place < document.leaves.size(); ++place) {
      if (leaves[place].met) continue;
      LeafProgress progress;
      for (const HeardEvent& event : how_things_stand(tx, document.leaves[place])) {
        if (const auto heard = hear(document.leaves[place], progress, event)) {
          progress = *heard;
        }
      }
      leaves[place] = progress;
    }
  });

  Trial trial{.would_fire = is_met(document.when, leaves), .because = {}, .missing = {}};
  for (std::size_t place = 0; place < document.leaves.size(); ++place) {
    const auto& progress = leaves[place];
    if (progress.met) {
      trial.because.push_back(progress.met->reason);
    } else {
      trial.missing.push_back(describe(document.leaves[place]));
    }
  }
  const auto obstacle = [&](const std::string& text) {
    trial.would_fire = false;
    trial.missing.push_back(text);
  };
  if (!document.enabled) obstacle("it is disabled");
  if (const auto refusal = find_refusal(access_, owner_of(row), document)) {
    obstacle(refusal->detail);
  }
  const Timestamp now = clock_.now();
  if (row.state.fired_at && *row.state.fired_at + document.cooldown > now) {
    obstacle("its cooldown lasts until " +
             format_rfc3339(*row.state.fired_at + document.cooldown));
  }
  try {
    jobs_.plan(row.pipeline_id);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::unavailable) throw;
    obstacle(fmt::format("{} can make no job: {}", document.pipeline.text(), error.what()));
  }
  return trial;
}

}  // namespace mendel::registry
