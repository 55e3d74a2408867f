#include "registry/api/job_json.h"

#include <string>
#include <utility>

namespace mendel::registry::api {

namespace {

using nlohmann::json;

void set_time(json& document, const char* member, const std::optional<Timestamp>& time) {
  if (time) document[member] = format_rfc3339(*time);
}

void set_text(json& document, const char* member, const std::string& text) {
  if (!text.empty()) document[member] = text;
}

// Hyperparameters are known once the job is planned; before, the column has a patch alone.
void set_made_from(json& document, const schema::JobRow& job, const json& specification) {
  if (job.source_repository) {
    auto& source = document["source"];
    source = {{"repository", *job.source_repository}, {"ref", *job.source_ref}};
    if (job.source_commit) source["commit"] = *job.source_commit;
  }
  document["inputs"] = job.inputs.empty() ? json::array() : json::parse(job.inputs);
  if (job.is_planned && !job.hyperparameters.empty()) {
    document["hyperparameters"] = json::parse(job.hyperparameters);
  }
  for (const char* member :
       {"hyperparameters_file", "command", "produces", "limits", "labels"}) {
    const auto value = specification.find(member);
    if (value != specification.end()) document[member] = *value;
  }
}

void hide_unseen_inputs(json& document, Visible& is_visible) {
  json seen = json::array();
  std::size_t hidden = 0;
  for (json& input : document["inputs"]) {
    if (is_visible(input.at("ref").get_ref<const std::string&>())) {
      seen.push_back(std::move(input));
    } else {
      ++hidden;
    }
  }
  document["inputs"] = std::move(seen);
  if (hidden > 0) document["hidden_inputs"] = hidden;
}

}  // namespace

json job_work(const schema::JobRow& job) {
  const json specification = json::parse(job.specification);
  json document{{"id", job.uuid},
                {"pipeline", job.pipeline_name},
                {"namespace", job.namespace_name},
                {"queue", job.queue},
                {"attempt", job.attempt},
                {"attempts_max", job.attempts_max}};
  set_made_from(document, job, specification);
  return document;
}

json job_summary(const schema::JobRow& job, Visible& is_visible) {
  json document = job_work(job);
  hide_unseen_inputs(document, is_visible);
  document["state"] = job.state;
  document["reason"] = job.reason;
  document["created_at"] = format_rfc3339(job.created_at);
  document["created_by"] = job.created_by;
  document["log_size"] = job.log_size;
  document["resources"] = json::parse(job.resources);
  set_text(document, "trigger", job.trigger_name);
  set_time(document, "started_at", job.started_at);
  set_time(document, "finished_at", job.finished_at);
  if (!job.version.empty() && is_visible(job.version)) document["version"] = job.version;
  set_text(document, "run", job.run);
  set_text(document, "agent", job.agent);
  set_time(document, "lease_expires_at", job.lease_expires_at);
  set_time(document, "not_before", job.not_before);
  if (job.exit_status) document["exit_status"] = *job.exit_status;
  if (job.cancel_requested) document["cancel_requested"] = true;
  return document;
}

json job_document(const schema::JobRow& job, const JobService::Details& details,
                  Visible& is_visible) {
  json document = job_summary(job, is_visible);
  set_text(document, "waiting_for", details.waiting_for);
  auto& transitions = document["transitions"] = json::array();
  for (const auto& each : details.transitions) {
    json transition{{"at", format_rfc3339(each.at)},
                    {"to", each.to},
                    {"actor", each.actor},
                    {"reason", each.reason}};
    if (each.from) transition["from"] = *each.from;
    transitions.push_back(std::move(transition));
  }
  return document;
}

}  // namespace mendel::registry::api
