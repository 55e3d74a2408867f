#include "registry/api/triggers.h"

#include <fmt/format.h>

#include <memory>

#include "registry/api/dry_run.h"
#include "registry/api/json.h"
#include "registry/api/names.h"
#include "registry/api/pedigree_body.h"
#include "registry/api/preconditions.h"
#include "registry/api/trigger_body.h"
#include "registry/api/visible.h"
#include "registry/services/triggers/triggers.h"

namespace mendel::registry::api {

namespace {

using nlohmann::json;

// What would make it fire next, in a sentence.
std::string next_of(const schema::TriggerRow& row, const TriggerDocument& document) {
  if (!document.enabled) return "never: it is disabled";
  if (row.state.due_at) {
    return fmt::format("it fires at {} unless more comes, because {}",
                       format_rfc3339(*row.state.due_at),
                       parse_pending(*row.state.pending).cause.reason);
  }
  std::string text = "it waits for " + describe(document);
  if (row.state.next_at) {
    text += fmt::format("; its schedule is due at {}", format_rfc3339(*row.state.next_at));
  }
  if (document.debounce.count() > 0) {
    text += fmt::format("; then for {} s without more of it", document.debounce.count());
  }
  if (row.state.fired_at && document.cooldown.count() > 0) {
    text += fmt::format("; not before {}",
                        format_rfc3339(*row.state.fired_at + document.cooldown));
  }
  return text;
}

json pending_json(const schema::TriggerRow& row) {
  const Pending pending = parse_pending(*row.state.pending);
  return {{"since", format_rfc3339(pending.since)},
          {"events", pending.events},
          {"due_at", format_rfc3339(*row.state.due_at)},
          {"reason", pending.cause.reason}};
}

// What everybody may know who may read where the trigger lies.
json outline(const schema::TriggerRow& row) {
  json answer{{"name", row.full_name()},
              {"enabled", row.enabled},
              {"revision", row.revision},
              {"owner", row.owner},
              {"created_at", format_rfc3339(row.created_at)},
              {"created_by", row.created_by},
              {"updated_at", format_rfc3339(row.updated_at)},
              {"updated_by", row.updated_by}};
  if (row.state.fired_at) answer["last_fired_at"] = format_rfc3339(*row.state.fired_at);
  return answer;
}

json whole(const schema::TriggerRow& row, const TriggerDocument& document) {
  json answer = outline(row);
  answer.update(json::parse(row.document));
  answer["next"] = next_of(row, document);
  if (row.state.next_at) answer["next_at"] = format_rfc3339(*row.state.next_at);
  if (row.state.pending) answer["pending"] = pending_json(row);
  auto heard = json::array();
  for (const auto& [place, leaf] : parse_progress(row.state.progress)) {
    if (leaf.met) heard.push_back(leaf.met->reason);
  }
  if (!heard.empty()) answer["heard"] = std::move(heard);
  if (!row.fired_reason.empty()) answer["last_reason"] = row.fired_reason;
  if (!row.fired_job.empty()) answer["last_job"] = row.fired_job;
  if (!row.problem.empty()) {
    answer["errors"] = {{{"at", format_rfc3339(*row.problem_at)}, {"detail", row.problem}}};
  }
  return answer;
}

// The document as it was applied, and what the server says of it; only the outline to who
// may not read what it watches or starts.
class TriggerJson {
 public:
  TriggerJson(const Request& request, Services& services)
      : is_visible_(std::make_shared<Visible>(request, services)) {}

  json operator()(const schema::TriggerRow& row) const {
    const auto document = TriggerDocument::parse(row.document);
    bool is_seen = (*is_visible_)(document.pipeline.text());
    for (const Name& ns : document.watched_namespaces()) {
      is_seen = is_seen && (*is_visible_)(ns.text() + "/");
    }
    if (is_seen) return whole(row, document);
    json answer = outline(row);
    answer["hidden"] = true;
    return answer;
  }

 private:
  std::shared_ptr<Visible> is_visible_;
};

}  // namespace

Response list_triggers(const Request& request, Services& services) {
  TriggerService::Filter filter;
  if (const auto ns = request.query("namespace")) {
    filter.ns = Name::parse("a namespace", *ns);
  }
  if (const auto pipeline = request.query("pipeline")) {
    filter.pipeline = ArtifactName::parse(*pipeline);
  }
  const auto page =
      services.triggers.list(request.caller(), filter, {request.limit(), request.after()});

  const TriggerJson trigger_json(request, services);
  auto items = json::array();
  for (const auto& trigger : page.items) items.push_back(trigger_json(trigger));
  return with_etag(request, list_response(std::move(items), page.next));
}

Response get_trigger(const Request& request, Services& services) {
  const auto trigger = services.triggers.get(artifact_of(request));
  return with_etag(request, json_response(200, TriggerJson(request, services)(trigger)));
}

Response put_trigger(const Request& request, Services& services) {
  const auto name = artifact_of(request);
  const std::string document = read_trigger_body(request.json());
  const TriggerJson trigger_json(request, services);
  const auto precondition = if_match<schema::TriggerRow>(request, trigger_json);
  if (is_dry_run(request)) {
    return json_response(
        200, trigger_json(services.triggers.rehearse(request.caller(), request.ns().id,
                                                     name, document, precondition)));
  }

  return put_response(services.triggers.put(request.caller(), request.ns().id, name,
                                            document, precondition),
                      trigger_json);
}

Response delete_trigger(const Request& request, Services& services) {
  services.triggers.remove(
      artifact_of(request),
      if_match<schema::TriggerRow>(request, TriggerJson(request, services)));
  return no_content();
}

Response fire_trigger(const Request& request, Services& services) {
  ObjectReader body(request.body().empty() ? json::object() : request.json());
  const std::string reason = body.optional_string("reason").value_or("");
  body.finish();

  const auto event = services.triggers.fire(request.caller(), artifact_of(request), reason);
  return json_response(202, {{"event", event}});
}

Response test_trigger(const Request& request, Services& services) {
  if (!request.body().empty()) ObjectReader(request.json()).finish();

  const auto trigger = services.triggers.get(artifact_of(request));
  const auto trial = services.triggers.try_out(trigger);
  auto decisions = json::array();
  for (const auto& decision : services.triggers.decisions(trigger)) {
    json item{{"event", decision.event_id},
              {"at", format_rfc3339(decision.at)},
              {"outcome", decision.outcome},
              {"reason", decision.reason}};
    if (decision.job) item["job"] = *decision.job;
    decisions.push_back(std::move(item));
  }
  return json_response(200, {{"would_fire", trial.would_fire},
                             {"because", trial.because},
                             {"missing", trial.missing},
                             {"recent", std::move(decisions)}});
}

}  // namespace mendel::registry::api
