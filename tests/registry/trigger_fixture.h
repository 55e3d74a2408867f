#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "registry/api/trigger_body.h"
#include "registry/services/triggers/events.h"
#include "schema/events.h"
#include "schema/triggers.h"
#include "tests/registry/job_fixture.h"

namespace mendel::registry {

// A registry with the pipeline lhcb/retrain, whose triggers are told of events when a test
// says so.
class TriggerTest : public JobTest {
 protected:
  TriggerTest() {
    pipeline = make_pipeline("retrain");
    work();  // of the dataset that there is already
  }

  void work() { registry.trigger_dispatcher.work(); }

  static std::string body(const nlohmann::json& when,
                          nlohmann::json others = nlohmann::json::object()) {
    if (!others.contains("pipeline")) others["pipeline"] = "lhcb/retrain";
    others["when"] = when;
    return api::read_trigger_body(others);
  }

  TriggerService::Row apply(const Caller& caller, const std::string& name,
                            const nlohmann::json& when,
                            const nlohmann::json& others = nlohmann::json::object()) {
    return registry.triggers
        .put(caller, ns, ArtifactName::parse("lhcb", name), body(when, others),
             [](const auto*) {})
        .item;
  }
  TriggerService::Row apply(const std::string& name, const nlohmann::json& when,
                            const nlohmann::json& others = nlohmann::json::object()) {
    return apply(admin, name, when, others);
  }

  TriggerService::Row trigger(const std::string& name) {
    return registry.triggers.get(ArtifactName::parse("lhcb", name));
  }

  // The oldest first.
  std::vector<schema::JobRow> jobs() {
    auto found = transact([&](schema::Transaction& tx) {
      schema::NamespaceViewer everybody;
      everybody.sees_all = true;
      return schema::list_jobs(tx, everybody, {}, std::nullopt, 1000);
    });
    std::ranges::reverse(found);
    return found;
  }

  std::vector<schema::EventRow> events(const std::optional<std::string>& state) {
    return transact([&](schema::Transaction& tx) {
      schema::NamespaceViewer everybody;
      everybody.sees_all = true;
      return schema::list_events(tx, everybody, state, std::nullopt, 1000);
    });
  }

  std::int64_t record(const NewEvent& event) {
    return transact([&](schema::Transaction& tx) { return record_event(tx, event); });
  }
  std::int64_t record_version(const std::string& name,
                              std::vector<std::int64_t> chain = {}) {
    const auto artifact = ArtifactName::parse("lhcb", name);
    return record(
        {.kind = EventKind::new_version,
         .topic = version_topic(artifact),
         .ns = ns,
         .payload = nlohmann::json{{"artifact", artifact.text()}, {"version", 1}}.dump(),
         .chain = std::move(chain),
         .cause_job = ""});
  }

  void publish_data(const std::string& content) {
    publish("calib-2016", storage::ArtifactKind::dataset, content);
  }

  PipelineId pipeline = 0;
};

}  // namespace mendel::registry
