#include "registry/services/triggers/triggers.h"

#include <gmock/gmock.h>

#include "tests/registry/trigger_fixture.h"

namespace mendel::registry {
namespace {

using nlohmann::json;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const json kCalib{{"new_version", "lhcb/calib-2016"}};

class Triggers : public TriggerTest {
 protected:
  // A principal with a role, who may apply things.
  Caller make_caller(const std::string& name, std::optional<Role> role) {
    const Name parsed = Name::parse("a principal", name);
    const auto principal =
        registry.principals.put(admin, parsed, {}, [](const auto*) {}).item;
    if (role) grant(name, *role);
    Caller caller;
    caller.principal = principal.id;
    caller.name = name;
    caller.scopes.add(Scope::read);
    caller.scopes.add(Scope::write);
    return caller;
  }
  void grant(const std::string& name, Role role) {
    const auto lhcb =
        registry.access.require(admin, Name::parse("a namespace", "lhcb"), Role::owner).ns;
    registry.namespaces.put_member(admin, lhcb, Name::parse("a principal", name), role,
                                   [](const auto*) {});
  }

  std::string problem_of(const std::function<void()>& body, ErrorCode code) {
    try {
      body();
      ADD_FAILURE() << "nothing was refused";
      return "";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code) << error.what();
      return error.what();
    }
  }
};

// --- Each kind of event -----------------------------------------------------------------

TEST_F(Triggers, StartAJobForANewVersion) {
  apply("on-calib", kCalib);
  publish_data("more hits");
  work();

  const auto made = jobs();
  ASSERT_THAT(made, SizeIs(1));
  EXPECT_EQ(made[0].state, "queued");
  EXPECT_EQ(made[0].pipeline_name, "lhcb/retrain");
  EXPECT_EQ(made[0].trigger_name, "lhcb/on-calib");
  EXPECT_EQ(made[0].reason, "lhcb/calib-2016:2 is new, by admin");
  EXPECT_EQ(json::parse(made[0].inputs)[0]["ref"], "lhcb/calib-2016:2");
  const auto after = trigger("on-calib");
  EXPECT_EQ(after.fired_job, made[0].uuid);
  EXPECT_EQ(after.state.fired_at, registry.clock.now());
  EXPECT_THAT(events("unconsumed"), IsEmpty());

  work();
  EXPECT_THAT(jobs(), SizeIs(1));
}

TEST_F(Triggers, WaitForAnArtifactThatIsNotThereYet) {
  apply("on-first", {{"new_version", "lhcb/calib-2017"}});
  publish("calib-2017", storage::ArtifactKind::dataset, "hits of 2017");
  work();
  EXPECT_THAT(jobs(), SizeIs(1));
}

TEST_F(Triggers, StartAJobForAnAliasThatMoves) {
  apply("on-move", {{"alias_moved", "lhcb/calib-2016@golden"}});
  registry.aliases.set(admin, ns, ArtifactName::parse("lhcb/calib-2016"),
                       storage::ArtifactKind::dataset, AliasName::parse("golden"), 1, "",
                       [](const auto&) {});
  work();
  ASSERT_THAT(jobs(), SizeIs(1));
  EXPECT_EQ(jobs()[0].reason, "lhcb/calib-2016@golden has moved to 1, by admin");
}

TEST_F(Triggers, StartAJobForAnEvaluation) {
  apply("on-drift", {{"metric",
                      {{"artifact", "lhcb/calib-2016"},
                       {"name", "chi2_ndf"},
                       {"above", 3.0},
                       {"times", 2}}}});
  const auto version =
      registry.versions
          .get(ArtifactName::parse("lhcb/calib-2016"), storage::ArtifactKind::dataset,
               VersionRef(VersionNumber{1}))
          ->version.id;
  for (const char* metrics : {R"({"chi2_ndf": 3.5})", R"({"chi2_ndf": 4})"}) {
    EXPECT_THAT(jobs(), IsEmpty());
    registry.evaluations.record(admin, {.uuid = std::nullopt,
                                        .version = version,
                                        .dataset = std::nullopt,
                                        .digest = Digest::of(metrics),
                                        .metrics = metrics,
                                        .labels = "{}",
                                        .measured_at = std::nullopt});
    work();
  }
  ASSERT_THAT(jobs(), SizeIs(1));
  EXPECT_EQ(jobs()[0].reason,
            "chi2_ndf of lhcb/calib-2016:1 is 4, above 3, 2 times in a row");
}

TEST_F(Triggers, StartAJobOfThePushedCommit) {
  auto with_source = document();
  with_source["source"] = {{"repository", "https://git.example.org/train.git"},
                           {"ref", "main"}};
  make_pipeline("of-source", with_source);
  apply("on-push", {{"git_push", {{"repository", "git.example.org/train"}}}},
        {{"pipeline", "lhcb/of-source"}});
  apply("on-other-push", {{"git_push", {{"repository", "git.example.org/other"}}}},
        {{"pipeline", "lhcb/of-source"}});
  for (const char* repository : {"git.example.org/train", "git.example.org/other"}) {
    record({.kind = EventKind::git_push,
            .topic = push_topic(repository),
            .ns = std::nullopt,
            .payload = json{{"repository", repository},
                            {"ref", "refs/heads/main"},
                            {"branch", "main"},
                            {"after", std::string(40, 'c')}}
                           .dump(),
            .chain = {},
            .cause_job = ""});
  }
  work();
  ASSERT_THAT(jobs(), SizeIs(2));
  EXPECT_EQ(jobs()[0].source_commit, std::string(40, 'c'));
  EXPECT_FALSE(jobs()[0].needs_commit);
  EXPECT_TRUE(jobs()[1].needs_commit);  // that push was of another repository
}

TEST_F(Triggers, StartAJobByHand) {
  apply("by-hand", {{"manual", true}});
  registry.triggers.fire(admin, ArtifactName::parse("lhcb/by-hand"), "new lumi");
  work();
  ASSERT_THAT(jobs(), SizeIs(1));
  EXPECT_EQ(jobs()[0].reason, "fired, by admin: new lumi");
}

TEST_F(Triggers, AreNotFiredByAHandThatTheyDoNotWaitFor) {
  apply("on-calib", kCalib);
  EXPECT_EQ(error_of([&] {
              registry.triggers.fire(admin, ArtifactName::parse("lhcb/on-calib"), "");
            }),
            ErrorCode::unprocessable);
  apply("by-hand", {{"manual", true}}, {{"enabled", false}});
  EXPECT_EQ(error_of([&] {
              registry.triggers.fire(admin, ArtifactName::parse("lhcb/by-hand"), "");
            }),
            ErrorCode::already_exists);
}

TEST_F(Triggers, KeepTheirSchedulesAndMakeUpOnceForWhatWasMissed) {
  apply("nightly", {{"schedule", "0 3 * * *"}, {"timezone", "Europe/Rome"}});
  EXPECT_EQ(trigger("nightly").state.next_at, parse_rfc3339("2024-02-13T02:00:00Z"));
  work();
  EXPECT_THAT(jobs(), IsEmpty());
  registry.clock.advance(std::chrono::hours(2));
  work();
  EXPECT_THAT(jobs(), SizeIs(1));
  EXPECT_EQ(trigger("nightly").state.next_at, parse_rfc3339("2024-02-14T02:00:00Z"));

  registry.clock.advance(std::chrono::hours(24 * 10));  // no server ran
  work();
  EXPECT_THAT(jobs(), SizeIs(2));
  EXPECT_EQ(trigger("nightly").state.next_at, parse_rfc3339("2024-02-24T02:00:00Z"));
}

TEST_F(Triggers, MakeOneJobOfWhatComesInQuickSuccession) {
  apply("on-calib", kCalib, {{"debounce_seconds", 600}});
  for (int i = 0; i < 3; ++i) {
    publish_data("hits " + std::to_string(i));
    work();
    registry.clock.advance(minutes(5));
  }
  EXPECT_THAT(jobs(), IsEmpty());
  EXPECT_TRUE(trigger("on-calib").state.pending.has_value());
  registry.clock.advance(minutes(5));
  work();
  ASSERT_THAT(jobs(), SizeIs(1));
  EXPECT_THAT(jobs()[0].reason,
              HasSubstr("lhcb/calib-2016:4 is new, by admin (the last of 3"));
  EXPECT_FALSE(trigger("on-calib").state.pending.has_value());
}

TEST_F(Triggers, DoNotFireWhileTheyAreDisabled) {
  apply("on-calib", kCalib, {{"enabled", false}});
  publish_data("more hits");
  work();
  apply("on-calib", kCalib);
  work();
  EXPECT_THAT(jobs(), IsEmpty());
  EXPECT_THAT(events("unconsumed"), IsEmpty());
}

// However late they are told.
TEST_F(Triggers, DoNotHearOfWhatHappenedBeforeTheyWereApplied) {
  publish_data("more hits");
  apply("on-calib", kCalib);
  work();
  EXPECT_THAT(jobs(), IsEmpty());
  publish_data("even more hits");
  apply("on-calib", kCalib, {{"cooldown_seconds", 60}});  // it waits for the same as before
  work();
  EXPECT_THAT(jobs(), SizeIs(1));
}

// --- Documents --------------------------------------------------------------------------

TEST_F(Triggers, AreOnlyRevisedByWhatChangesThem) {
  EXPECT_EQ(apply("on-calib", kCalib).revision, 1);
  EXPECT_EQ(apply("on-calib", kCalib, {{"enabled", true}}).revision, 1);
  EXPECT_EQ(apply("on-calib", kCalib, {{"cooldown_seconds", 60}}).revision, 2);
}

TEST_F(Triggers, ForgetWhatTheyHeardWhenTheyWaitForSomethingElse) {
  const json both{{"all", {kCalib, {{"manual", true}}}}};
  apply("on-both", both);
  publish_data("more hits");
  work();
  EXPECT_NE(trigger("on-both").state.progress, "{}");
  apply("on-both", both, {{"cooldown_seconds", 60}});
  EXPECT_NE(trigger("on-both").state.progress, "{}");
  apply("on-both", {{"all", {{{"manual", true}}, kCalib}}});
  EXPECT_EQ(trigger("on-both").state.progress, "{}");
}

TEST_F(Triggers, NeedAPipelineThatThereIs) {
  EXPECT_THAT(problem_of(
                  [&] {
                    apply("x", kCalib, {{"pipeline", "lhcb/retrian"}});
                  },
                  ErrorCode::unprocessable),
              HasSubstr("there is no pipeline lhcb/retrian"));
  EXPECT_EQ(error_of([&] { trigger("x"); }), ErrorCode::not_found);
}

TEST_F(Triggers, KeepTheirPipelineFromBeingDeleted) {
  apply("on-calib", kCalib);
  EXPECT_EQ(
      error_of([&] {
        transact([&](schema::Transaction& tx) { schema::delete_pipeline(tx, pipeline); });
      }),
      ErrorCode::already_exists);
}

TEST_F(Triggers, AreGoneWithAllThatTheyListenedTo) {
  apply("on-calib", kCalib);
  registry.triggers.remove(ArtifactName::parse("lhcb/on-calib"), [](const auto*) {});
  publish_data("more hits");
  work();
  EXPECT_THAT(jobs(), IsEmpty());
  EXPECT_THAT(events("unconsumed"), IsEmpty());
}

TEST_F(Triggers, AreListedByNamespaceAndPipeline) {
  make_pipeline("other");
  apply("a", kCalib);
  apply("b", kCalib, {{"pipeline", "lhcb/other"}});
  const auto names = [&](const TriggerService::Filter& filter) {
    std::vector<std::string> found;
    for (const auto& row :
         registry.triggers.list(admin, filter, {10, std::nullopt}).items) {
      found.push_back(row.name);
    }
    return found;
  };
  EXPECT_THAT(names({}), ElementsAre("b", "a"));
  EXPECT_THAT(names({.ns = Name::parse("a namespace", "LHCb"), .pipeline = std::nullopt}),
              SizeIs(2));
  EXPECT_THAT(names({.ns = std::nullopt, .pipeline = ArtifactName::parse("lhcb/other")}),
              ElementsAre("b"));
  EXPECT_THAT(names({.ns = std::nullopt, .pipeline = ArtifactName::parse("lhcb/none")}),
              IsEmpty());
}

TEST_F(Triggers, TellWhatWouldMakeThemFire) {
  const auto trial = [&](const std::string& name) {
    return registry.triggers.try_out(trigger(name));
  };
  apply("on-calib", kCalib);
  EXPECT_TRUE(trial("on-calib").would_fire);
  EXPECT_THAT(trial("on-calib").because, ElementsAre("lhcb/calib-2016:1 is new, by admin"));

  apply("on-both",
        {{"all",
          {kCalib, {{"new_version", "lhcb/calib-2016"}, {"labels", {{"year", "2017"}}}}}}});
  EXPECT_FALSE(trial("on-both").would_fire);
  EXPECT_THAT(trial("on-both").missing,
              ElementsAre("a new version of lhcb/calib-2016 with year=2017"));

  auto wrong = document();
  wrong["inputs"]["more"] = "lhcb/calib-2017";
  make_pipeline("starved", wrong);
  apply("on-starved", kCalib, {{"pipeline", "lhcb/starved"}});
  EXPECT_FALSE(trial("on-starved").would_fire);
  EXPECT_THAT(trial("on-starved").missing, ElementsAre(HasSubstr("lhcb/calib-2017")));
  EXPECT_THAT(jobs(), IsEmpty());
}

// --- Rights -----------------------------------------------------------------------------

TEST_F(Triggers, AreForThoseWhoMayReadWhatTheyWatch) {
  const auto writer = make_caller("anna", Role::writer);
  registry.namespaces.put(admin, Name::parse("a namespace", "secret"), {},
                          [](const auto*) {});
  EXPECT_THAT(problem_of(
                  [&] {
                    apply(writer, "x", {{"new_version", "secret/plans"}});
                  },
                  ErrorCode::unprocessable),
              HasSubstr("/when"));
  const auto reader = make_caller("bert", Role::reader);
  EXPECT_THAT(problem_of([&] { apply(reader, "x", kCalib); }, ErrorCode::unprocessable),
              HasSubstr("bert must be a writer in lhcb"));
  EXPECT_NO_THROW(apply(writer, "x", kCalib));
}

TEST_F(Triggers, DoNotFireForAnOwnerWhoLostTheirRole) {
  const auto writer = make_caller("anna", Role::writer);
  apply(writer, "on-calib", kCalib);
  grant("anna", Role::reader);
  publish_data("more hits");
  work();
  EXPECT_THAT(jobs(), IsEmpty());
  EXPECT_EQ(trigger("on-calib").problem, "anna must be a writer in lhcb");
  EXPECT_THAT(events("unconsumed"), IsEmpty());
  EXPECT_EQ(registry.triggers.decisions(trigger("on-calib"))[0].outcome, "refused");
}

// --- What goes wrong --------------------------------------------------------------------

TEST_F(Triggers, LeaveAFailedJobWhereTheirPipelineCanMakeNone) {
  auto wrong = document();
  wrong["inputs"]["more"] = "lhcb/calib-2017";
  make_pipeline("starved", wrong);
  apply("on-starved", kCalib, {{"pipeline", "lhcb/starved"}});
  publish_data("more hits");
  work();
  ASSERT_THAT(jobs(), SizeIs(1));
  EXPECT_EQ(jobs()[0].state, "failed");
  EXPECT_THAT(events("unconsumed"), IsEmpty());
}

// Goal: a trigger that can't be told does not keep others from being told, and is told when
// that is repaired, without another being told twice.
TEST_F(Triggers, ArePassedOverWhenTheyCannotBeTold) {
  apply("first", kCalib);
  const auto broken = make_pipeline("broken");
  apply("second", kCalib, {{"pipeline", "lhcb/broken"}});
  apply("third", kCalib);
  const auto specify = [&](const std::string& specification) {
    transact([&](schema::Transaction& tx) {
      schema::update_pipeline(tx, broken,
                              {.specification = specification,
                               .concurrency = std::nullopt,
                               .per_day = std::nullopt,
                               .owner_id = *admin.principal,
                               .owner_namespace = std::nullopt,
                               .at = registry.clock.now(),
                               .by = "admin"});
    });
  };
  specify(R"({"queue": 1})");  // as if it had been damaged
  publish_data("more hits");
  for (int i = 0; i < 10; ++i, registry.clock.advance(minutes(1))) work();

  EXPECT_THAT(jobs(), SizeIs(2));
  ASSERT_THAT(events("parked"), SizeIs(1));
  const auto event = events("parked")[0];
  EXPECT_THAT(event.problem, HasSubstr("lhcb/second: "));
  EXPECT_THAT(event.parked_triggers, ElementsAre(trigger("second").id));
  EXPECT_NE(trigger("second").problem, "");

  specify(document().dump());
  registry.events.replay(admin, event.id);
  work();
  ASSERT_THAT(jobs(), SizeIs(3));
  EXPECT_EQ(jobs()[2].trigger_name, "lhcb/second");
  EXPECT_THAT(events("parked"), IsEmpty());
  EXPECT_EQ(error_of([&] { registry.events.replay(admin, event.id); }),
            ErrorCode::already_exists);
}

TEST_F(Triggers, ParkAnEventThatNobodyCanRead) {
  apply("on-calib", kCalib);
  record({.kind = EventKind::new_version,
          .topic = version_topic(ArtifactName::parse("lhcb/calib-2016")),
          .ns = ns,
          .payload = "{}",
          .chain = {},
          .cause_job = ""});
  for (int i = 0; i < 10; ++i, registry.clock.advance(minutes(1))) work();
  EXPECT_THAT(events("parked"), SizeIs(1));
  EXPECT_THAT(events("unconsumed"), IsEmpty());
}

// --- Loops ------------------------------------------------------------------------------

TEST_F(Triggers, DoNotFireForWhatTheyStarted) {
  const auto applied = apply("on-calib", kCalib);
  record_version("calib-2016", {applied.id});
  work();
  EXPECT_THAT(jobs(), IsEmpty());
  EXPECT_EQ(registry.triggers.decisions(applied)[0].outcome, "skipped");
}

TEST_F(Triggers, HandTheirChainToTheJob) {
  const auto applied = apply("on-calib", kCalib);
  record_version("calib-2016", {1001, 1002});
  work();
  ASSERT_THAT(jobs(), SizeIs(1));
  EXPECT_EQ(jobs()[0].trigger_id, applied.id);
}

TEST_F(Triggers, AreRefusedWhereTheyMakeACycle) {
  // retrain makes lamarr-trk; distill makes small-trk of it.
  auto distill = document();
  distill["inputs"] = {{"data", "lhcb/calib-2016"}};
  distill["produces"]["artifact"] = "lhcb/small-trk";
  distill["produces"]["aliases"] = {"staging"};
  make_pipeline("distill", distill);
  apply("on-trk", {{"new_version", "LHCb/Lamarr-trk"}}, {{"pipeline", "lhcb/distill"}});

  const json back{{"any", {kCalib, {{"alias_moved", "lhcb/small-trk@staging"}}}}};
  const std::string cycle =
      "this would go round for ever: lhcb/retrain → trigger lhcb/on-trk → lhcb/distill → "
      "trigger lhcb/back → lhcb/retrain";
  EXPECT_EQ(problem_of([&] { apply("back", back); }, ErrorCode::unprocessable), cycle);
  EXPECT_EQ(error_of([&] { trigger("back"); }), ErrorCode::not_found);

  apply("back", back, {{"enabled", false}});
  EXPECT_EQ(problem_of([&] { apply("back", back); }, ErrorCode::unprocessable), cycle);
  EXPECT_NO_THROW(apply("back", {{"alias_moved", "lhcb/small-trk@production"}}));
  EXPECT_EQ(problem_of(
                [&] {
                  apply("own", {{"new_version", "lhcb/lamarr-trk"}});
                },
                ErrorCode::unprocessable),
            "this would go round for ever: lhcb/retrain → trigger lhcb/own → lhcb/retrain");
}

// What a job makes is told with all the triggers that led to the job, by whoever looks.
TEST_F(Triggers, DoNotFireForWhatTheirJobPublished) {
  const auto applied = apply("by-hand", {{"manual", true}});
  registry.triggers.fire(admin, ArtifactName::parse("lhcb/by-hand"), "");
  work();
  const auto lease = registry.job_leases.lease(
      admin, {.queue = "cnaf-gpu", .agent = "gpu03/1", .lease_seconds = 60});
  ASSERT_TRUE(lease.has_value());
  // Applied only now, when nobody could see that it makes a cycle with another server.
  transact([&](schema::Transaction& tx) {
    const schema::TriggerTopicRow topics[] = {
        {.topic = version_topic(ArtifactName::parse("lhcb/lamarr-trk")),
         .repository = std::nullopt,
         .wants_paths = false}};
    schema::replace_trigger_topics(tx, applied.id, topics);
    schema::update_trigger(tx, applied.id,
                           {.document = body({{"new_version", "lhcb/lamarr-trk"}}),
                            .pipeline_id = pipeline,
                            .enabled = true,
                            .owner_id = *admin.principal,
                            .owner_namespace = std::nullopt,
                            .at = registry.clock.now(),
                            .by = "admin"});
  });
  const Caller attempt = registry.access.authenticate(lease->token);
  registry.publishing.publish(attempt, ns,
                              {.artifact = ArtifactName::parse("lhcb/lamarr-trk"),
                               .kind = storage::ArtifactKind::model,
                               .manifest = manifest_of("a model")});
  const auto told = events("unconsumed");
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_THAT(told[0].chain, ElementsAre(applied.id));
  EXPECT_EQ(told[0].cause_job, lease->job.uuid);
  work();
  EXPECT_THAT(jobs(), SizeIs(1));
  EXPECT_EQ(registry.triggers.decisions(applied)[0].outcome, "skipped");
}

TEST_F(Triggers, ObjectToAPipelineThatWouldMakeACycle) {
  apply("on-calib", kCalib);
  auto changed = document();
  changed["produces"]["artifact"] = "lhcb/calib-2016";
  const auto put = [&](const json& specification) {
    registry.pipelines.put(
        admin, ns, ArtifactName::parse("lhcb/retrain"),
        {specification.dump(), PipelineSpec::parse(specification.dump())},
        [](const auto*) {});
  };
  EXPECT_EQ(problem_of([&] { put(changed); }, ErrorCode::unprocessable),
            "this would go round for ever: lhcb/retrain → trigger lhcb/on-calib → "
            "lhcb/retrain");
  changed["produces"]["artifact"] = "lhcb/pid";
  EXPECT_NO_THROW(put(changed));
  EXPECT_EQ(problem_of(
                [&] {
                  registry.pipelines.remove(admin, ArtifactName::parse("lhcb/retrain"),
                                            [](const auto*) {});
                },
                ErrorCode::already_exists),
            "lhcb/retrain is started by lhcb/on-calib: delete what starts it first");
}

// A model is made again when it has become worse: that is no cycle.
TEST_F(Triggers, MayWatchTheScoreOfWhatTheirPipelineMakes) {
  EXPECT_NO_THROW(apply("on-drift", {{"metric",
                                      {{"artifact", "lhcb/lamarr-trk@production"},
                                       {"name", "chi2_ndf"},
                                       {"above", 3}}}}));
}

}  // namespace
}  // namespace mendel::registry
