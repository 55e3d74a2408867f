#include "registry/services/triggers/triggers.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "registry/services/namespace_rows.h"
#include "registry/services/triggers/event_delivery.h"
#include "registry/services/triggers/events.h"
#include "registry/services/triggers/owner.h"
#include "registry/services/triggers/pipeline_cycle.h"
#include "schema/pipelines.h"
#include "storage/base/error.h"

namespace mendel::registry {

namespace {

using nlohmann::json;

constexpr std::int64_t kDecisionsShown = 20;
constexpr std::int64_t kTriggersNamed = 5;

Error unprocessable(const FieldError& field) {
  return {ErrorCode::unprocessable, field.pointer + " " + field.detail, {field}};
}

Error no_trigger(const ArtifactName& name) {
  return {ErrorCode::not_found, "there is no trigger " + name.text()};
}

FieldError no_pipeline(const ArtifactName& name) {
  return {"/pipeline", "there is no pipeline " + name.text()};
}

std::vector<schema::TriggerTopicRow> topics_of(std::int64_t id,
                                               const TriggerDocument& document) {
  std::vector<schema::TriggerTopicRow> rows{
      {.topic = trigger_topic(id), .repository = std::nullopt, .wants_paths = false}};
  for (auto& topic : document.topics()) {
    schema::TriggerTopicRow row{.topic = std::move(topic.topic),
                                .repository = std::nullopt,
                                .wants_paths = topic.wants_paths};
    if (!topic.repository.empty()) row.repository = std::move(topic.repository);
    rows.push_back(std::move(row));
  }
  return rows;
}

// Rolls a transaction back that went well.
class Rehearsed : public Error {
 public:
  Rehearsed() : Error(ErrorCode::cancelled, "this was a rehearsal") {}
};

}  // namespace

TriggerService::Checked TriggerService::check(const Caller& caller,
                                              const std::string& text) {
  TriggerDocument document = TriggerDocument::parse(text);
  if (const auto refusal = find_refusal(access_, caller, document)) {
    throw unprocessable(*refusal);
  }
  schema::TriggerEdit edit{.document = text,
                           .pipeline_id = 0,
                           .enabled = document.enabled,
                           .owner_id = *caller.principal,
                           .owner_namespace = caller.only_namespace,
                           .at = clock_.now(),
                           .by = caller.name};
  return {std::move(document), std::move(edit)};
}

void TriggerService::refuse_cycle(schema::Transaction& tx, const Caller& caller,
                                  const schema::PipelineRow& pipeline) {
  refuse_pipeline_cycle(
      tx,
      {.id = pipeline.id,
       .name = pipeline.full_name(),
       .topics = topics_of(PipelineSpec::parse(pipeline.specification))},
      [&](std::string_view ns) {
        return may_read(caller, access_.standing(caller, Name::parse("a namespace", ns)));
      });
}

// Who applies a pipeline sees what lies beside it; what else it would make a cycle with is
// not named.
void TriggerService::object(schema::Transaction& tx,
                            const PipelineService::Change& change) {
  if (!change.pipeline) return;  // nothing starts what there was not
  if (change.spec != nullptr) {
    const auto own = ArtifactName::parse(change.name);
    return refuse_pipeline_cycle(
        tx,
        {.id = *change.pipeline, .name = change.name, .topics = topics_of(*change.spec)},
        [&](std::string_view ns) {
          return Name::parse("a namespace", ns).folded() == own.ns().folded();
        });
  }
  const auto triggers = schema::list_triggers_of(tx, *change.pipeline, kTriggersNamed);
  if (triggers.empty()) return;
  throw Error(ErrorCode::already_exists,
              fmt::format("{} is started by {}{}: delete what starts it first", change.name,
                          fmt::join(triggers, ", "),
                          triggers.size() == kTriggersNamed ? " …" : ""));
}

void TriggerService::update(schema::Transaction& tx, const Row& current,
                            const Checked& checked) {
  const TriggerDocument& document = checked.document;
  schema::update_trigger(tx, current.id, checked.edit);
  schema::replace_trigger_topics(tx, current.id, topics_of(current.id, document));
  const bool waits_for_the_same = json::parse(current.document).at("when") ==
                                  json::parse(checked.edit.document).at("when");
  schema::TriggerStateRow state = current.state;
  if (!waits_for_the_same || current.enabled != document.enabled) {
    state.progress = "{}";
    state.pending.reset();
    state.due_at.reset();
    state.next_at = document.enabled ? document.next_time(clock_.now()) : std::nullopt;
    schema::hear_from_now(tx, current.id);
  }
  schema::update_trigger_state(tx, current.id, state);
}

Put<TriggerService::Row> TriggerService::put(const Caller& caller, NamespaceId ns,
                                             const ArtifactName& name,
                                             const std::string& text,
                                             const Precondition<Row>& precondition) {
  Checked checked = check(caller, text);
  return database_.transact("apply a trigger", [&](schema::Transaction& tx) {
    return put(tx, caller, ns, name, checked, precondition);
  });
}

// The same, and then all of it is rolled back: so that nothing is said that is not so.
TriggerService::Row TriggerService::rehearse(const Caller& caller, NamespaceId ns,
                                             const ArtifactName& name,
                                             const std::string& text,
                                             const Precondition<Row>& precondition) {
  Checked checked = check(caller, text);
  std::optional<Row> done;
  try {
    database_.transact("rehearse to apply a trigger", [&](schema::Transaction& tx) {
      done = put(tx, caller, ns, name, checked, precondition).item;
      throw Rehearsed();
    });
  } catch (const Rehearsed&) {
  }
  return std::move(*done);
}

Put<TriggerService::Row> TriggerService::put(schema::Transaction& tx, const Caller& caller,
                                             NamespaceId ns, const ArtifactName& name,
                                             Checked& checked,
                                             const Precondition<Row>& precondition) {
  const ArtifactName& of = checked.document.pipeline;
  const auto current = schema::lock_trigger(tx, name.ns().folded(), name.name().folded());
  precondition(current ? &*current : nullptr);
  const auto pipeline = schema::find_pipeline(tx, of.ns().folded(), of.name().folded());
  if (!pipeline) throw unprocessable(no_pipeline(of));
  checked.edit.pipeline_id = pipeline->id;
  auto outcome = Outcome::updated;
  if (!current) {
    const auto id = schema::insert_trigger(tx, ns, name.name().text(), checked.edit);
    if (!id) throw Error(ErrorCode::aborted, name.text() + " was made meanwhile");
    schema::replace_trigger_topics(tx, *id, topics_of(*id, checked.document));
    schema::TriggerStateRow state;
    if (checked.document.enabled) {
      state.next_at = checked.document.next_time(clock_.now());
    }
    schema::update_trigger_state(tx, *id, state);
    schema::hear_from_now(tx, *id);
    outcome = Outcome::created;
  } else if (current->document == checked.edit.document &&
             current->pipeline_id == pipeline->id) {
    schema::update_trigger_owner(tx, current->id, checked.edit);
  } else {
    update(tx, *current, checked);
  }
  if (checked.document.enabled) refuse_cycle(tx, caller, *pipeline);
  return {*schema::find_trigger(tx, name.ns().folded(), name.name().folded()), outcome};
}

TriggerService::Row TriggerService::get(const ArtifactName& name) {
  auto found = database_.read("find a trigger", [&](schema::Transaction& tx) {
    return schema::find_trigger(tx, name.ns().folded(), name.name().folded());
  });
  if (!found) throw no_trigger(name);
  return *std::move(found);
}

void TriggerService::remove(const ArtifactName& name,
                            const Precondition<Row>& precondition) {
  database_.transact("delete a trigger", [&](schema::Transaction& tx) {
    const auto current = schema::lock_trigger(tx, name.ns().folded(), name.name().folded());
    precondition(current ? &*current : nullptr);
    if (!current) throw no_trigger(name);
    schema::delete_trigger(tx, current->id);
  });
}

Page<TriggerService::Row> TriggerService::list(const Caller& caller, const Filter& filter,
                                               const PageRequest& page) {
  auto rows = database_.read("list triggers", [&](schema::Transaction& tx) {
    schema::TriggerFilter wanted;
    if (filter.ns) wanted.folded_namespace = filter.ns->folded();
    if (filter.pipeline) {
      const auto pipeline = schema::find_pipeline(tx, filter.pipeline->ns().folded(),
                                                  filter.pipeline->name().folded());
      wanted.pipeline_id = pipeline ? pipeline->id : 0;
    }
    return schema::list_triggers(tx, viewer_for(caller), wanted, id_after(page),
                                 static_cast<std::int64_t>(page.limit) + 1);
  });
  return page_of<Row>(
      std::move(rows), page, [](const Row& row) { return row; },
      [](const Row& row) { return std::to_string(row.id); });
}

std::vector<schema::TriggerDecisionRow> TriggerService::decisions(const Row& trigger) {
  return database_.read("list what a trigger was told", [&](schema::Transaction& tx) {
    return schema::list_trigger_decisions(tx, trigger.id, kDecisionsShown);
  });
}

std::int64_t TriggerService::fire(const Caller& caller, const ArtifactName& name,
                                  const std::string& reason) {
  const auto event = database_.transact("fire a trigger", [&](schema::Transaction& tx) {
    const auto trigger = schema::lock_trigger(tx, name.ns().folded(), name.name().folded());
    if (!trigger) throw no_trigger(name);
    if (!TriggerDocument::parse(trigger->document).has_manual()) {
      throw Error(ErrorCode::unprocessable,
                  name.text() +
                      " does not wait for anybody's hand: add {\"manual\": true} "
                      "to it, or start a job of its pipeline");
    }
    if (!trigger->enabled) {
      throw Error(ErrorCode::already_exists, name.text() + " is disabled");
    }
    return record_event(tx,
                        {.kind = EventKind::manual,
                         .topic = trigger_topic(trigger->id),
                         .ns = trigger->namespace_id,
                         .payload = json{{"by", caller.name}, {"reason", reason}}.dump(),
                         .chain = {},
                         .cause_job = ""});
  });
  changes_.announce(kEventsTopic);
  return event;
}

}  // namespace mendel::registry
