#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "registry/services/jobs/job_making.h"
#include "schema/jobs.h"
#include "schema/pipelines.h"
#include "tests/registry/run_fixture.h"

namespace mendel::registry {

// A registry with a dataset, lhcb/calib-2016:1, and pipelines that make models of it.
class JobTest : public RunTest {
 protected:
  JobTest() { publish("calib-2016", storage::ArtifactKind::dataset, "hits"); }

  std::string publish(const std::string& name, storage::ArtifactKind kind,
                      const std::string& content) {
    PublishingService::Request request{.artifact = ArtifactName::parse("lhcb", name),
                                       .kind = kind,
                                       .manifest = manifest_of(content),
                                       .hyperparameters = R"({"lr":0.5})"};
    request.manifest->kind = kind;
    const auto outcome = registry.publishing.publish(admin, ns, request);
    return "lhcb/" + name + ":" + std::to_string(outcome.record->version.number);
  }

  static nlohmann::json document() {
    return {{"engine", "agent"},
            {"queue", "cnaf-gpu"},
            {"command", {"./train"}},
            {"inputs", {{"data", "lhcb/calib-2016"}}},
            {"hyperparameters", {{"lr", 0.001}, {"layers", 3}}},
            {"produces", {{"artifact", "lhcb/lamarr-trk"}, {"files", {"out/*"}}}}};
  }

  template <class Body>
  auto transact(Body body) {
    return test_database.database().transact("a step of a test", body);
  }

  PipelineId make_pipeline(const std::string& name,
                           const nlohmann::json& specification = document()) {
    const auto spec = PipelineSpec::parse(specification.dump());
    return transact([&](schema::Transaction& tx) {
      return schema::insert_pipeline(tx, ns, name,
                                     {.specification = specification.dump(),
                                      .concurrency = spec.concurrency,
                                      .per_day = spec.per_day,
                                      .owner_id = *admin.principal,
                                      .owner_namespace = std::nullopt,
                                      .at = registry.clock.now(),
                                      .by = admin.name})
          .value();
    });
  }

  static JobRequest by_hand() {
    return {.reason = "new calibration",
            .actor = "admin",
            .trigger = std::nullopt,
            .trigger_name = "",
            .chain = {},
            .commit = std::nullopt,
            .hyperparameters = std::nullopt,
            .uuid = std::nullopt};
  }
  std::string make_job(PipelineId pipeline, const JobRequest& request = by_hand()) {
    const auto plan = registry.job_making.plan(pipeline);
    return transact([&](schema::Transaction& tx) {
      return registry.job_making.insert(tx, plan, request);
    });
  }

  schema::JobRow job(const std::string& uuid) {
    return transact(
        [&](schema::Transaction& tx) { return schema::find_job(tx, uuid).value(); });
  }
};

}  // namespace mendel::registry
