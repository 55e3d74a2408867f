#include "registry/services/triggers/events.h"

#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "schema/events.h"
#include "schema/jobs.h"

namespace mendel::registry {

namespace {

using nlohmann::json;

constexpr std::array<std::pair<EventKind, std::string_view>, 8> kKinds{{
    {EventKind::new_version, "new_version"},
    {EventKind::alias_moved, "alias_moved"},
    {EventKind::evaluation, "evaluation"},
    {EventKind::git_push, "git_push"},
    {EventKind::schedule, "schedule"},
    {EventKind::manual, "manual"},
    {EventKind::kpi, "kpi"},
    {EventKind::due, "due"},
}};

}  // namespace

std::string_view to_string(EventKind kind) {
  for (const auto& [known, text] : kKinds) {
    if (known == kind) return text;
  }
  return "";
}

std::optional<EventKind> parse_event_kind(std::string_view text) {
  for (const auto& [kind, known] : kKinds) {
    if (known == text) return kind;
  }
  return std::nullopt;
}

NewEvent caused_by(schema::Transaction& tx, const Caller& caller, NewEvent event) {
  if (!caller.attempt) return event;
  event.chain = schema::chain_of_job(tx, caller.attempt->job_id);
  event.cause_job = caller.attempt->job;
  return event;
}

std::int64_t record_event(schema::Transaction& tx, const NewEvent& event) {
  return schema::insert_event(
      tx,
      {.kind = std::string(to_string(event.kind)),
       .topic = event.topic,
       .namespace_id = event.ns,
       .payload = event.payload,
       .chain = event.chain,
       .cause_job = event.cause_job.empty() ? std::nullopt
                                            : std::optional<std::string>(event.cause_job)});
}

void record_new_version(schema::Transaction& tx, const Caller& caller,
                        const VersionEvent& version) {
  const json payload{{"artifact", version.artifact.text()},
                     {"kind", version.kind},
                     {"version", version.number},
                     {"digest", version.digest},
                     {"labels", json::parse(version.labels)},
                     {"by", caller.name}};
  record_event(tx, caused_by(tx, caller,
                             {.kind = EventKind::new_version,
                              .topic = version_topic(version.artifact),
                              .ns = version.ns,
                              .payload = payload.dump(),
                              .chain = {},
                              .cause_job = ""}));
}

void record_alias_move(schema::Transaction& tx, const Caller& caller,
                       const AliasEvent& move) {
  json payload{{"artifact", move.artifact.text()},
               {"alias", move.alias.text()},
               {"version", move.number},
               {"by", caller.name}};
  if (move.previous) payload["previous"] = *move.previous;
  record_event(tx, caused_by(tx, caller,
                             {.kind = EventKind::alias_moved,
                              .topic = alias_topic(move.artifact, move.alias),
                              .ns = move.ns,
                              .payload = payload.dump(),
                              .chain = {},
                              .cause_job = ""}));
}

// What the version was called at this moment is part of what happened: a trigger that asks
// for the one in production must not be told of another that has become it meanwhile.
void record_evaluation(schema::Transaction& tx, const Caller& caller,
                       const EvaluationEvent& evaluation) {
  const auto version = schema::find_evaluated_version(tx, evaluation.version);
  if (!version) return;
  const auto artifact =
      ArtifactName::parse(version->namespace_name, version->artifact_name);
  json payload{{"artifact", artifact.text()},
               {"version", version->number},
               {"aliases", version->aliases},
               {"latest", version->is_latest},
               {"evaluation", evaluation.uuid},
               {"metrics", json::parse(evaluation.metrics)},
               {"by", caller.name}};
  if (evaluation.dataset) {
    payload["dataset"] = schema::find_version_reference(tx, *evaluation.dataset);
  }
  record_event(tx, caused_by(tx, caller,
                             {.kind = EventKind::evaluation,
                              .topic = evaluation_topic(artifact),
                              .ns = version->namespace_id,
                              .payload = payload.dump(),
                              .chain = {},
                              .cause_job = ""}));
}

}  // namespace mendel::registry
