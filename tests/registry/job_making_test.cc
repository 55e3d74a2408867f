// How a job comes to be: what is frozen, and what lets it be leased.

#include "tests/registry/job_fixture.h"

namespace mendel::registry {
namespace {

using JobMakingTest = JobTest;
using nlohmann::json;

TEST_F(JobMakingTest, FreezesWhatTheReferencesMeanNow) {
  const auto uuid = make_job(make_pipeline("retrain"));
  publish("calib-2016", storage::ArtifactKind::dataset, "more hits");

  const auto made = job(uuid);
  EXPECT_EQ(made.state, "queued");
  EXPECT_TRUE(made.admitted);
  EXPECT_EQ(made.pipeline_name, "lhcb/retrain");
  EXPECT_EQ(made.queue, "cnaf-gpu");
  EXPECT_EQ(made.hyperparameters, R"({"layers":3,"lr":0.001})");
  const auto inputs = json::parse(made.inputs);
  ASSERT_EQ(inputs.size(), 1u);
  EXPECT_EQ(inputs[0]["ref"], "lhcb/calib-2016:1");
  EXPECT_EQ(inputs[0]["name"], "data");
  EXPECT_EQ(inputs[0]["role"], "trained-on");
}

TEST_F(JobMakingTest, AppliesAPatchToTheHyperparameters) {
  auto request = by_hand();
  request.hyperparameters = R"({"lr":0.1,"layers":null,"epochs":2})";
  const auto made = job(make_job(make_pipeline("retrain"), request));
  EXPECT_EQ(made.hyperparameters, R"({"epochs":2,"lr":0.1})");
}

TEST_F(JobMakingTest, TakesTheHyperparametersOfAVersion) {
  auto of_another = document();
  of_another.erase("hyperparameters");
  of_another["hyperparameters_of"] = "lhcb/calib-2016@latest";
  EXPECT_EQ(job(make_job(make_pipeline("retrain", of_another))).hyperparameters,
            R"({"lr":0.5})");
}

TEST_F(JobMakingTest, APlanOfAnEarlierRevisionMakesNoJob) {
  const auto pipeline = make_pipeline("retrain");
  const auto plan = registry.job_making.plan(pipeline);
  transact([&](schema::Transaction& tx) {
    schema::update_pipeline(tx, pipeline,
                            {.specification = document().dump(),
                             .concurrency = std::nullopt,
                             .per_day = std::nullopt,
                             .owner_id = *admin.principal,
                             .owner_namespace = std::nullopt,
                             .at = registry.clock.now(),
                             .by = "admin"});
  });
  EXPECT_EQ(error_of([&] {
              transact([&](schema::Transaction& tx) {
                registry.job_making.insert(tx, plan, by_hand());
              });
            }),
            ErrorCode::aborted);
}

TEST_F(JobMakingTest, AMissingInputIsSaidBeforeAnythingIsMade) {
  auto wrong = document();
  wrong["inputs"]["more"] = "lhcb/calib-2017";
  const auto pipeline = make_pipeline("retrain", wrong);
  EXPECT_EQ(error_of([&] { registry.job_making.plan(pipeline); }), ErrorCode::not_found);

  const auto uuid = transact([&](schema::Transaction& tx) {
    return registry.job_making.insert_failed(tx, pipeline, by_hand(), "there is no input");
  });
  const auto made = job(uuid);
  EXPECT_EQ(made.state, "failed");
  EXPECT_TRUE(made.has_ended());
  EXPECT_FALSE(made.is_planned);
}

TEST_F(JobMakingTest, TheSameIdMakesOneJob) {
  const auto pipeline = make_pipeline("retrain");
  auto request = by_hand();
  request.uuid = "018d9f5e-0000-7000-8000-000000000001";
  EXPECT_EQ(make_job(pipeline, request), *request.uuid);
  EXPECT_EQ(make_job(pipeline, request), *request.uuid);
  const auto jobs = transact([&](schema::Transaction& tx) {
    schema::NamespaceViewer viewer;
    viewer.sees_all = true;
    return schema::list_jobs(tx, viewer, {}, std::nullopt, 10);
  });
  EXPECT_EQ(jobs.size(), 1u);
}

TEST_F(JobMakingTest, AJobWaitsForItsCommitUnlessTheCauseOrTheAgentKnowsIt) {
  auto with_source = document();
  with_source["source"] = {{"repository", "https://example.org/t.git"}, {"ref", "main"}};
  const auto pipeline = make_pipeline("retrain", with_source);
  const auto waiting = job(make_job(pipeline));
  EXPECT_TRUE(waiting.needs_commit);
  EXPECT_FALSE(waiting.admitted);

  auto request = by_hand();
  request.commit = std::string(40, 'a');
  EXPECT_TRUE(job(make_job(pipeline, request)).admitted);

  with_source["source"]["resolve"] = "agent";
  EXPECT_TRUE(job(make_job(make_pipeline("at-the-site", with_source))).admitted);
}

TEST_F(JobMakingTest, NoMoreAreAdmittedThanTheLimitsAllow) {
  auto limited = document();
  limited["limits"] = {{"concurrency", 2}};
  const auto pipeline = make_pipeline("retrain", limited);
  EXPECT_TRUE(job(make_job(pipeline)).admitted);
  EXPECT_TRUE(job(make_job(pipeline)).admitted);
  EXPECT_FALSE(job(make_job(pipeline)).admitted);

  limited["limits"] = {{"per_day", 1}};
  const auto daily = make_pipeline("daily", limited);
  EXPECT_TRUE(job(make_job(daily)).admitted);
  EXPECT_FALSE(job(make_job(daily)).admitted);
  registry.clock.advance(std::chrono::hours(25));
  EXPECT_TRUE(job(make_job(daily)).created_at > parse_rfc3339("2024-02-14T00:00:00Z"));
  const auto admitted = transact(
      [&](schema::Transaction& tx) { return schema::count_admitted_jobs(tx, daily); });
  EXPECT_EQ(admitted, 2);
}

TEST_F(JobMakingTest, TheChainOfAJobEndsWithItsOwnTrigger) {
  auto request = by_hand();
  request.trigger = 7;
  request.chain = {3, 5};
  const auto made = job(make_job(make_pipeline("retrain"), request));
  const auto chain =
      transact([&](schema::Transaction& tx) { return schema::chain_of_job(tx, made.id); });
  EXPECT_EQ(chain, (std::vector<std::int64_t>{3, 5, 7}));
}

}  // namespace
}  // namespace mendel::registry
