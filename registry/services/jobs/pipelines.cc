#include "registry/services/jobs/pipelines.h"

#include <fmt/format.h>

#include <utility>

#include "registry/services/audit.h"
#include "registry/services/jobs/admission.h"
#include "registry/services/namespace_rows.h"
#include "registry/services/version_rows.h"
#include "schema/artifacts.h"
#include "storage/base/error.h"

namespace mendel::registry {

namespace {

Error no_pipeline(const ArtifactName& name) {
  return {ErrorCode::not_found, fmt::format("no pipeline named {}", name.text())};
}

std::optional<schema::PipelineRow> find(schema::Transaction& tx, const ArtifactName& name) {
  return schema::find_pipeline(tx, name.ns().folded(), name.name().folded());
}

// Found by name, then locked, and read again as it is then.
std::optional<schema::PipelineRow> lock(schema::Transaction& tx, const ArtifactName& name) {
  const auto found = find(tx, name);
  return found ? schema::lock_pipeline(tx, found->id) : std::nullopt;
}

schema::PipelineEdit edit_of(const Caller& caller,
                             const PipelineService::Document& document, Timestamp now) {
  return {.specification = document.text,
          .concurrency = document.spec.concurrency,
          .per_day = document.spec.per_day,
          .owner_id = *caller.principal,
          .owner_namespace = caller.only_namespace,
          .at = now,
          .by = caller.name};
}

bool changes_nothing(const schema::PipelineRow& current, const schema::PipelineEdit& edit) {
  return current.specification == edit.specification && current.owner_id == edit.owner_id &&
         current.owner_namespace == edit.owner_namespace;
}

void require_same_spelling(const schema::PipelineRow& existing, const ArtifactName& name) {
  if (existing.name == name.name().text()) return;
  throw Error(
      ErrorCode::already_exists,
      fmt::format("there is a pipeline {} already, and names differ by more than case",
                  existing.full_name()));
}

void note_pipeline(schema::Transaction& tx, const Caller& caller, std::string_view action,
                   NamespaceId ns, const std::string& name) {
  note(tx, caller,
       {.action = action, .subject = name, .ns = ns, .reason = "", .detail = {}});
}

}  // namespace

// A version may yet come; an artifact that the caller cannot see, or that is not there, is
// a mistake that is better told now than at three in the night.
void PipelineService::check_references(const Caller& caller, const Document& document) {
  const PipelineSpec& spec = document.spec;
  access_.require(caller, spec.artifact.ns(), Role::writer);
  std::vector<InputService::Asked> asked;
  for (const auto& input : spec.inputs)
    asked.push_back({input.ref, "/inputs/" + input.name});
  if (spec.hyperparameters_of) {
    asked.push_back({*spec.hyperparameters_of, "/hyperparameters_of"});
  }
  std::vector<FieldError> missing;
  for (const auto& [ref, pointer] : asked) {
    const ArtifactName& artifact = ref.artifact;
    const bool is_readable = may_read(caller, access_.standing(caller, artifact.ns()));
    const bool is_own = artifact.folded() == spec.artifact.folded();
    const bool is_there =
        is_readable && (is_own || database_.read("find an input", [&](auto& tx) {
          return schema::find_artifact(tx, artifact.ns().folded(), artifact.name().folded())
              .has_value();
        }));
    if (!is_there) missing.push_back({pointer, "there is no artifact " + artifact.text()});
  }
  if (missing.empty()) return;
  const std::string first = missing.front().pointer + ": " + missing.front().detail;
  throw Error(ErrorCode::unprocessable, first, std::move(missing));
}

void PipelineService::ask(schema::Transaction& tx, const Change& change) const {
  for (const Objection& objection : objections_) objection(tx, change);
}

Put<schema::PipelineRow> PipelineService::put(
    const Caller& caller, NamespaceId ns, const ArtifactName& name,
    const Document& document, const Precondition<schema::PipelineRow>& precondition) {
  check_references(caller, document);
  Queues queues;
  auto put = database_.transact("put a pipeline", [&](schema::Transaction& tx) {
    const auto edit = edit_of(caller, document, clock_.now());
    auto current = lock(tx, name);
    precondition(current ? &*current : nullptr);
    if (!current) {
      ask(tx, {name.text(), std::nullopt, &document.spec});
      const auto id = schema::insert_pipeline(tx, ns, name.name().text(), edit);
      if (!id) throw Error(ErrorCode::aborted, "somebody else put this pipeline first");
      note_pipeline(tx, caller, "pipeline.put", ns, name.text());
      return Put<schema::PipelineRow>{*schema::find_pipeline_by_id(tx, *id),
                                      Outcome::created};
    }
    require_same_spelling(*current, name);
    if (!changes_nothing(*current, edit)) {
      ask(tx, {name.text(), current->id, &document.spec});
      schema::update_pipeline(tx, current->id, edit);
      note_pipeline(tx, caller, "pipeline.put", ns, name.text());
      current = schema::find_pipeline_by_id(tx, current->id);
      queues = admit_waiting_jobs(tx, *current, clock_.now());
    }
    return Put<schema::PipelineRow>{*current, Outcome::updated};
  });
  for (const std::string& queue : queues) changes_.announce(queue_topic(queue));
  return put;
}

std::optional<schema::PipelineRow> PipelineService::rehearse(
    const Caller& caller, NamespaceId, const ArtifactName& name, const Document& document,
    const Precondition<schema::PipelineRow>& precondition) {
  check_references(caller, document);
  return database_.read("rehearse to put a pipeline", [&](schema::Transaction& tx) {
    auto current = find(tx, name);
    precondition(current ? &*current : nullptr);
    if (current) require_same_spelling(*current, name);
    ask(tx,
        {name.text(), current ? std::optional(current->id) : std::nullopt, &document.spec});
    return current;
  });
}

schema::PipelineRow PipelineService::get(const ArtifactName& name) {
  auto row = database_.read("find a pipeline",
                            [&](schema::Transaction& tx) { return find(tx, name); });
  if (!row) throw no_pipeline(name);
  return *std::move(row);
}

Page<schema::PipelineRow> PipelineService::list(const Caller& caller,
                                                const std::optional<Name>& ns,
                                                const PageRequest& page) {
  const auto folded = ns ? std::optional(ns->folded()) : std::nullopt;
  auto rows = database_.read("list pipelines", [&](schema::Transaction& tx) {
    return schema::list_pipelines(tx, viewer_for(caller), folded, id_after(page),
                                  static_cast<std::int64_t>(page.limit) + 1);
  });
  return page_of<schema::PipelineRow>(
      std::move(rows), page, [](const schema::PipelineRow& row) { return row; },
      [](const schema::PipelineRow& row) { return std::to_string(row.id); });
}

void PipelineService::remove(const Caller& caller, const ArtifactName& name,
                             const Precondition<schema::PipelineRow>& precondition) {
  database_.transact("delete a pipeline", [&](schema::Transaction& tx) {
    const auto current = lock(tx, name);
    if (!current) throw no_pipeline(name);
    precondition(&*current);
    if (const auto live = schema::count_live_jobs(tx, current->id); live > 0) {
      throw Error(ErrorCode::already_exists,
                  fmt::format("{} has {} that {} not ended: cancel first", name.text(),
                              live == 1 ? "a job" : fmt::format("{} jobs", live),
                              live == 1 ? "has" : "have"));
    }
    ask(tx, {current->full_name(), current->id, nullptr});
    schema::delete_pipeline(tx, current->id);
    note_pipeline(tx, caller, "pipeline.delete", current->namespace_id,
                  current->full_name());
  });
}

}  // namespace mendel::registry
