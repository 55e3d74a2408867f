// What agents do with jobs, and what an attempt that is over cannot do any more.

#include "registry/services/jobs/job_leases.h"

#include <set>
#include <thread>

#include "schema/job_attempts.h"
#include "tests/registry/job_fixture.h"

namespace mendel::registry {
namespace {

using nlohmann::json;

class JobLeasesTest : public JobTest {
 protected:
  JobLeasesTest() {
    agent = admin;
    pipeline = make_pipeline("retrain");
  }

  std::optional<JobLeases::Lease> lease() {
    return registry.job_leases.lease(
        agent, {.queue = "cnaf-gpu", .agent = "gpu03/1", .lease_seconds = 60});
  }

  static JobLeases::AttemptKey key_of(const JobLeases::Lease& lease) {
    return {lease.job.uuid, lease.job.attempt};
  }
  Caller caller_of(const JobLeases::Lease& lease) {
    return registry.access.authenticate(lease.token);
  }

  static JobLeases::Finish finish_with(const std::string& status) {
    JobLeases::Finish finish;
    finish.status = status;
    return finish;
  }
  void finish(const JobLeases::Lease& lease, const JobLeases::Finish& finish) {
    registry.job_leases.finish(caller_of(lease), key_of(lease), finish);
  }

  PublishingService::Request model(const std::string& content,
                                   const std::string& name = "lamarr-trk") {
    return {.artifact = ArtifactName::parse("lhcb", name),
            .kind = storage::ArtifactKind::model,
            .manifest = manifest_of(content)};
  }

  std::vector<std::string> states(const std::string& uuid) {
    return transact([&](schema::Transaction& tx) {
      std::vector<std::string> states;
      const auto id = schema::find_job(tx, uuid)->id;
      for (const auto& each : schema::list_job_transitions(tx, id))
        states.push_back(each.to);
      return states;
    });
  }

  Caller agent;
  PipelineId pipeline = 0;
};

TEST_F(JobLeasesTest, GivesTheOldestJobToOneAgent) {
  const auto first = make_job(pipeline);
  const auto second = make_job(pipeline);
  const auto leased = lease();
  ASSERT_TRUE(leased);
  EXPECT_EQ(leased->job.uuid, first);
  EXPECT_EQ(leased->job.state, "starting");
  EXPECT_EQ(leased->job.attempt, 1);
  EXPECT_EQ(lease()->job.uuid, second);
  EXPECT_FALSE(lease());
}

TEST_F(JobLeasesTest, ManyAgentsAtOnceLeaseEachJobOnce) {
  constexpr int kJobs = 60;
  for (int i = 0; i < kJobs; ++i) make_job(pipeline);
  std::mutex mutex;
  std::multiset<std::string> leased;
  {
    std::vector<std::jthread> agents;
    for (int i = 0; i < 6; ++i) {
      agents.emplace_back([&] {
        while (const auto mine = lease()) {
          const std::lock_guard lock(mutex);
          leased.insert(mine->job.uuid);
        }
      });
    }
  }
  EXPECT_EQ(leased.size(), std::size_t{kJobs});
  EXPECT_EQ(std::set<std::string>(leased.begin(), leased.end()).size(), std::size_t{kJobs});
}

TEST_F(JobLeasesTest, AnAgentGetsJobsOnlyWhereItMayWrite) {
  make_job(pipeline);
  const Name name = Name::parse("a principal", "site");
  registry.principals.put(admin, name, {}, [](const auto*) {});
  TokenRequest request;
  request.principal = name;
  request.scopes = Scopes();
  request.scopes->add(Scope::agent);
  agent = registry.access.authenticate(registry.tokens.issue(admin, request).secret);
  EXPECT_FALSE(lease());

  const auto lhcb =
      registry.access.require(admin, Name::parse("a namespace", "lhcb"), Role::owner).ns;
  registry.namespaces.put_member(admin, lhcb, name, Role::reader, [](const auto*) {});
  EXPECT_FALSE(lease());
  registry.namespaces.put_member(admin, lhcb, name, Role::writer, [](const auto*) {});
  EXPECT_TRUE(lease());
}

TEST_F(JobLeasesTest, AnAttemptReachesItsTargetAndItsInputsAlone) {
  registry.namespaces.put(admin, Name::parse("a namespace", "cms"), {}, [](const auto*) {});
  make_job(pipeline);
  const Caller attempt = caller_of(*lease());
  ASSERT_TRUE(attempt.attempt);
  EXPECT_EQ(attempt.attempt->number, 1);
  const auto role = [&](const char* ns) {
    return registry.access.standing(attempt, Name::parse("a namespace", ns)).role;
  };
  EXPECT_EQ(role("lhcb"), Role::writer);
  EXPECT_EQ(role("cms"), Role::none);
  EXPECT_FALSE(attempt.administers_server());
}

TEST_F(JobLeasesTest, HeartbeatsExtendTheLeaseAndSayWhetherToStop) {
  make_job(pipeline);
  const auto mine = *lease();
  registry.clock.advance(std::chrono::seconds(50));
  auto heartbeat =
      registry.job_leases.record_heartbeat(caller_of(mine), key_of(mine), true);
  EXPECT_FALSE(heartbeat.is_cancelled);
  EXPECT_EQ(heartbeat.lease_expires_at, registry.clock.now() + std::chrono::seconds(60));
  EXPECT_EQ(job(mine.job.uuid).state, "running");

  registry.jobs.cancel(admin, mine.job.uuid, "enough");
  heartbeat = registry.job_leases.record_heartbeat(agent, key_of(mine), true);
  EXPECT_TRUE(heartbeat.is_cancelled);
  finish(mine, finish_with("cancelled"));
  EXPECT_EQ(states(mine.job.uuid),
            (std::vector<std::string>{"queued", "starting", "running", "cancelled"}));
}

TEST_F(JobLeasesTest, AJobSucceedsByPublishingOnce) {
  make_job(pipeline);
  const auto mine = *lease();
  const Caller attempt = caller_of(mine);
  EXPECT_EQ(error_of([&] { finish(mine, finish_with("succeeded")); }),
            ErrorCode::unprocessable);
  EXPECT_EQ(error_of([&] {
              registry.publishing.publish(attempt, ns, model("weights", "another"));
            }),
            ErrorCode::permission_denied);
  auto with_alias = model("weights");
  with_alias.aliases.push_back(AliasName::parse("production"));
  EXPECT_EQ(error_of([&] { registry.publishing.publish(attempt, ns, with_alias); }),
            ErrorCode::permission_denied);

  registry.publishing.publish(attempt, ns, model("weights"));
  EXPECT_EQ(error_of([&] { registry.publishing.publish(attempt, ns, model("more")); }),
            ErrorCode::already_exists);
  auto lie = finish_with("succeeded");
  lie.version = "lhcb/lamarr-trk:2";
  EXPECT_EQ(error_of([&] { finish(mine, lie); }), ErrorCode::unprocessable);
  lie.version = "lhcb/lamarr-trk:1";
  finish(mine, lie);
  const auto done = job(mine.job.uuid);
  EXPECT_EQ(done.state, "succeeded");
  EXPECT_EQ(done.version, "lhcb/lamarr-trk:1");
}

TEST_F(JobLeasesTest, WhatAnAttemptRunsInIsPublishedWithoutTakingEffect) {
  make_job(pipeline);
  const auto mine = *lease();
  const Caller attempt = caller_of(mine);
  auto environment = model("packages", "lamarr-trk-env");
  EXPECT_EQ(error_of([&] { registry.publishing.publish(attempt, ns, environment); }),
            ErrorCode::permission_denied);  // a model of that name
  environment.kind = storage::ArtifactKind::environment;
  registry.publishing.publish(attempt, ns, environment);
  EXPECT_EQ(job(mine.job.uuid).version, "");
  registry.publishing.publish(attempt, ns, model("weights"));
  EXPECT_EQ(job(mine.job.uuid).version, "lhcb/lamarr-trk:1");

  finish(mine, finish_with("succeeded"));
  EXPECT_EQ(error_of([&] { registry.publishing.publish(attempt, ns, environment); }),
            ErrorCode::already_exists);
}

TEST_F(JobLeasesTest, WhatAJobMadeIsMadeFromItsInputsWhateverItsAgentSays) {
  make_job(pipeline);
  const auto mine = *lease();
  auto silent = model("weights");
  registry.job_publication.complete(caller_of(mine), silent);
  const auto made =
      registry.publishing.publish(caller_of(mine), ns, silent).record->version;
  ASSERT_EQ(made.inputs.size(), 1u);
  EXPECT_EQ(made.inputs[0].ref, "lhcb/calib-2016:1");
  EXPECT_EQ(made.inputs[0].name, "data");
  EXPECT_EQ(made.hyperparameters, R"({"layers":3,"lr":0.001})");
  EXPECT_EQ(made.job, mine.job.uuid);
}

TEST_F(JobLeasesTest, AnAttemptThatNobodyHeardOfIsNotCounted) {
  auto once = document();
  once["retry"] = {{"attempts", 1}, {"backoff_seconds", 0}};
  const auto uuid = make_job(make_pipeline("once", once));
  const auto lose = [&] {
    const auto mine = lease();
    ASSERT_TRUE(mine);
    for (int i = 0; i < 31; ++i) {
      registry.clock.advance(std::chrono::seconds(2));
      registry.job_upkeep.look_after();
    }
  };
  registry.job_upkeep.look_after();
  for (int unheard = 0; unheard < 10; ++unheard) lose();
  EXPECT_EQ(job(uuid).state, "queued");
  EXPECT_EQ(job(uuid).attempts_max, 11);
  lose();
  EXPECT_EQ(job(uuid).state, "lost");

  registry.jobs.retry(admin, uuid, "the agents are there again");
  const auto mine = *lease();
  registry.job_leases.record_heartbeat(caller_of(mine), key_of(mine), true);
  for (int i = 0; i < 31; ++i) {
    registry.clock.advance(std::chrono::seconds(2));
    registry.job_upkeep.look_after();
  }
  EXPECT_EQ(job(uuid).state, "lost");
}

TEST_F(JobLeasesTest, AFinishThatIsToldTwiceIsDoneOnce) {
  make_job(pipeline);
  const auto mine = *lease();
  const Caller attempt = caller_of(mine);
  registry.publishing.publish(attempt, ns, model("weights"));
  for (int i = 0; i < 2; ++i) {
    registry.job_leases.finish(attempt, key_of(mine), finish_with("succeeded"));
  }
  EXPECT_EQ(error_of([&] {
              registry.job_leases.finish(attempt, key_of(mine), finish_with("failed"));
            }),
            ErrorCode::already_exists);
  EXPECT_EQ(states(mine.job.uuid),
            (std::vector<std::string>{"queued", "starting", "succeeded"}));
}

TEST_F(JobLeasesTest, WhatWasPublishedCountsHoweverTheAttemptEnds) {
  make_job(pipeline);
  const auto mine = *lease();
  registry.publishing.publish(caller_of(mine), ns, model("weights"));
  registry.clock.advance(std::chrono::seconds(61));
  registry.job_upkeep.look_after();
  EXPECT_EQ(job(mine.job.uuid).state, "succeeded");
}

TEST_F(JobLeasesTest, AFailedJobIsQueuedAgainAfterAPauseAsOftenAsItMay) {
  auto patient = document();
  patient["retry"] = {{"attempts", 2}, {"backoff_seconds", 30}};
  const auto uuid = make_job(make_pipeline("patient", patient));
  finish(*lease(), finish_with("failed"));
  EXPECT_EQ(job(uuid).state, "queued");
  EXPECT_FALSE(lease());
  registry.clock.advance(std::chrono::seconds(31));
  registry.job_upkeep.look_after();
  const auto again = lease();
  ASSERT_TRUE(again);
  EXPECT_EQ(again->job.attempt, 2);
  finish(*again, finish_with("failed"));
  EXPECT_EQ(job(uuid).state, "failed");

  registry.jobs.retry(admin, uuid, "the disk was full");
  EXPECT_EQ(lease()->job.attempt, 3);
  EXPECT_EQ(job(uuid).attempts_max, 4);
}

TEST_F(JobLeasesTest, AFailureThatWillStayIsNotRepeated) {
  const auto uuid = make_job(pipeline);
  auto for_good = finish_with("failed");
  for_good.may_be_repeated = false;
  finish(*lease(), for_good);
  EXPECT_EQ(job(uuid).state, "failed");
}

TEST_F(JobLeasesTest, AZombieCanDoNothing) {
  auto patient = document();
  patient["retry"] = {{"backoff_seconds", 0}};
  const auto uuid = make_job(make_pipeline("patient", patient));
  const auto zombie = *lease();
  const Caller undead = caller_of(zombie);
  const auto run = registry.runs.create(undead, ns, run_request("wgan")).run;
  registry.job_upkeep.look_after();
  registry.clock.advance(std::chrono::seconds(61));
  registry.job_upkeep.look_after();  // nobody looked for a minute: the leases are renewed
  EXPECT_EQ(job(uuid).state, "starting");
  for (int i = 0; i < 31; ++i) {
    registry.clock.advance(std::chrono::seconds(2));
    registry.job_upkeep.look_after();
  }
  const auto next = lease();
  ASSERT_TRUE(next);
  EXPECT_EQ(next->job.uuid, uuid);
  EXPECT_EQ(next->job.attempt, 2);

  EXPECT_TRUE(caller_of(zombie).attempt->is_over);
  const auto refused = [&](auto body) {
    EXPECT_EQ(error_of(body), ErrorCode::already_exists);
  };
  refused([&] { registry.publishing.publish(undead, ns, model("weights")); });
  refused([&] { registry.job_leases.record_heartbeat(undead, key_of(zombie), true); });
  refused([&] { registry.job_leases.record_heartbeat(agent, key_of(zombie), true); });
  refused(
      [&] { registry.job_leases.finish(undead, key_of(zombie), finish_with("failed")); });
  refused([&] { registry.job_logs.append(undead, key_of(zombie), 0, "boo"); });
  refused([&] { registry.runs.create(undead, ns, run_request("other")); });
  refused([&] { registry.runs.change(undead, run.uuid, status("finished")); });
  refused([&] { registry.metric_intake.take(run.id, {{"loss"}, {{0, 1, 0.5, {}}}}); });
  EXPECT_EQ(registry.runs.get(run.uuid).status, "killed");
  EXPECT_EQ(job(uuid).state, "starting");
}

TEST_F(JobLeasesTest, ALostJobWhoseCancelWasAskedForIsCancelled) {
  const auto uuid = make_job(pipeline);
  lease();
  registry.jobs.cancel(admin, uuid, "enough");
  registry.job_upkeep.look_after();
  for (int i = 0; i < 31; ++i) {
    registry.clock.advance(std::chrono::seconds(2));
    registry.job_upkeep.look_after();
  }
  EXPECT_EQ(job(uuid).state, "cancelled");
}

TEST_F(JobLeasesTest, AJobWithoutItsSecretsFailsAndLetsOthersPass) {
  auto secretive = document();
  secretive["secrets"] = {{"S3_KEY", "store"}};
  const auto needs_one = make_pipeline("secretive", secretive);
  const auto early = make_job(needs_one);
  const auto other = make_job(pipeline);
  EXPECT_EQ(lease()->job.uuid, other);
  EXPECT_EQ(job(early).state, "failed");

  const auto lhcb =
      registry.access.require(admin, Name::parse("a namespace", "lhcb"), Role::owner).ns;
  registry.vault.put(admin, lhcb, Name::parse("a secret", "store"), "open sesame");
  registry.jobs.retry(admin, early, "the secret is there");
  const auto mine = lease();
  ASSERT_TRUE(mine);
  EXPECT_EQ(mine->secrets, (std::map<std::string, std::string>{{"S3_KEY", "open sesame"}}));
}

TEST_F(JobLeasesTest, TheNextOfAPipelineIsAdmittedWhenOneEnds) {
  auto limited = document();
  limited["limits"] = {{"concurrency", 1}};
  const auto one_by_one = make_pipeline("limited", limited);
  make_job(one_by_one);
  const auto second = make_job(one_by_one);
  const auto mine = *lease();
  EXPECT_FALSE(lease());
  auto for_good = finish_with("failed");
  for_good.may_be_repeated = false;
  finish(mine, for_good);
  EXPECT_EQ(lease()->job.uuid, second);
}

TEST_F(JobLeasesTest, ALogIsTakenOncePieceByPiece) {
  make_job(pipeline);
  const auto mine = *lease();
  const Caller attempt = caller_of(mine);
  auto& logs = registry.job_logs;
  EXPECT_EQ(logs.append(attempt, key_of(mine), 0, "one "), 4);
  EXPECT_EQ(logs.append(attempt, key_of(mine), 0, "one two "), 8);
  EXPECT_EQ(logs.append(attempt, key_of(mine), 4, "two "), 8);
  EXPECT_EQ(error_of([&] { logs.append(attempt, key_of(mine), 9, "?"); }),
            ErrorCode::already_exists);
  EXPECT_EQ(logs.append(attempt, key_of(mine), 8, "three"), 13);
  EXPECT_EQ(logs.read(mine.job.id, 1, 0).bytes, "one two three");
  EXPECT_EQ(logs.read(mine.job.id, 1, 5).bytes, "wo three");
  EXPECT_FALSE(logs.read(mine.job.id, 1, 0).is_last);
  finish(mine, finish_with("cancelled"));
  EXPECT_TRUE(logs.read(mine.job.id, 1, 0).is_last);
  EXPECT_EQ(logs.read(mine.job.id, 1, 13).bytes, "");
}

TEST_F(JobLeasesTest, ALogIsBoundedAndSaysSo) {
  make_job(pipeline);
  const auto mine = *lease();
  const Caller attempt = caller_of(mine);
  const std::string megabyte(1 << 20, 'x');
  std::int64_t offset = 0;
  for (int i = 0; i < 65; ++i) {
    offset = registry.job_logs.append(attempt, key_of(mine), offset, megabyte + "y");
  }
  EXPECT_EQ(offset, 65 * ((1 << 20) + 1));
  const auto size = job(mine.job.uuid).log_size;
  EXPECT_GE(size, JobLogs::kJobBytesMax);
  EXPECT_LT(size, JobLogs::kJobBytesMax + 100);
  const auto end = registry.job_logs.read(mine.job.id, 1, size - 30);
  EXPECT_NE(end.bytes.find("not kept"), std::string::npos);
}

TEST_F(JobLeasesTest, AJobWithoutInputsYetIsPlannedWhenItIsRetried) {
  auto early = document();
  early["inputs"]["more"] = "lhcb/calib-2017";
  const auto too_early = make_pipeline("early", early);
  auto request = by_hand();
  request.hyperparameters = R"({"lr":0.1})";
  const auto uuid = transact([&](schema::Transaction& tx) {
    return registry.job_making.insert_failed(tx, too_early, request, "no input");
  });
  EXPECT_EQ(error_of([&] { registry.jobs.retry(admin, uuid, ""); }), ErrorCode::not_found);
  publish("calib-2017", storage::ArtifactKind::dataset, "hits of 2017");
  registry.jobs.retry(admin, uuid, "");
  const auto leased = lease();
  ASSERT_TRUE(leased);
  EXPECT_EQ(json::parse(leased->job.inputs).size(), 2u);
  EXPECT_EQ(leased->job.hyperparameters, R"({"layers":3,"lr":0.1})");
}

}  // namespace
}  // namespace mendel::registry
