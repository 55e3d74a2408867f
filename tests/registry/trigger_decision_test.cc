// What events do to triggers, with a clock that the test sets and no database.

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "registry/services/triggers/decision.h"
#include "storage/base/error.h"

namespace mendel::registry {
namespace {

using nlohmann::json;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Optional;
using Outcome = Decision::Outcome;

constexpr std::int64_t kTrigger = 7;

// A trigger that is told of events, one after the other.
class Told {
 public:
  explicit Told(TriggerDocument document) : document(std::move(document)) {}

  Outcome hear(EventKind kind, json payload, std::vector<std::int64_t> chain = {}) {
    const HeardEvent event{.id = ++events,
                           .kind = kind,
                           .payload = std::move(payload),
                           .chain = std::move(chain)};
    last = decide(kTrigger, document, state, event, now);
    state = last.state;
    return last.outcome;
  }

  Outcome version(const std::string& artifact, json labels = json::object(),
                  std::vector<std::int64_t> chain = {}) {
    return hear(EventKind::new_version,
                {{"artifact", artifact}, {"version", ++versions}, {"labels", labels}},
                std::move(chain));
  }
  Outcome push(json of) {
    of["repository"] = "git.example.org/train";
    return hear(EventKind::git_push, std::move(of));
  }
  Outcome evaluation(json metrics, json others = json::object()) {
    json payload{{"artifact", "lhcb/trk"},
                 {"version", 4},
                 {"aliases", {"production"}},
                 {"latest", false},
                 {"metrics", std::move(metrics)}};
    payload.update(others);
    return hear(EventKind::evaluation, std::move(payload));
  }
  Outcome hand() {
    return hear(EventKind::manual, {{"by", "anna"}, {"reason", "why not"}});
  }

  TriggerDocument document;
  TriggerState state;
  Decision last;
  Timestamp now = parse_rfc3339("2024-02-13T00:00:00Z");
  std::int64_t events = 0;
  int versions = 0;
};

Told told(json when, json others = json::object()) {
  others["pipeline"] = "lhcb/retrain";
  others["when"] = std::move(when);
  return Told(TriggerDocument::parse(others.dump()));
}

const json kCalib{{"new_version", "lhcb/calib"}};

TEST(TriggerDecision, FiresForANewVersionOfTheArtifactAndOfNoOther) {
  Told trigger = told(kCalib);
  EXPECT_EQ(trigger.version("lhcb/other"), Outcome::none);
  EXPECT_EQ(trigger.version("LHCb/Calib"), Outcome::fires);
  EXPECT_EQ(trigger.last.reason, "LHCb/Calib:2 is new");
  EXPECT_THAT(trigger.last.cause.chain, ElementsAre(kTrigger));
  EXPECT_EQ(trigger.state.fired_at, trigger.now);
}

TEST(TriggerDecision, NeedsTheLabelsThatItAsksFor) {
  Told trigger =
      told({{"new_version", "lhcb/calib"}, {"labels", {{"data-taking", "2016MU"}}}});
  EXPECT_EQ(trigger.version("lhcb/calib"), Outcome::none);
  EXPECT_EQ(trigger.version("lhcb/calib", {{"data-taking", "2017MU"}}), Outcome::none);
  EXPECT_EQ(trigger.version("lhcb/calib", {{"data-taking", "2016MU"}, {"x", "y"}}),
            Outcome::fires);
}

TEST(TriggerDecision, FiresForTheAliasThatMovesAndForNoOther) {
  Told trigger = told({{"alias_moved", "lhcb/trk@production"}});
  const auto move = [&](const char* alias) {
    return trigger.hear(EventKind::alias_moved,
                        {{"artifact", "lhcb/trk"}, {"alias", alias}, {"version", 3}});
  };
  EXPECT_EQ(move("staging"), Outcome::none);
  EXPECT_EQ(move("Production"), Outcome::fires);
}

TEST(TriggerDecision, LooksAtBranchesTagsAndPathsOfAPush) {
  Told trigger = told({{"git_push",
                        {{"repository", "https://git.example.org/train.git"},
                         {"branch", "release/*"},
                         {"tag", "v*"},
                         {"paths", {"src/**", "Snakefile"}}}}});
  const json paths{"src/a/b.py", "README"};
  EXPECT_EQ(trigger.push({{"branch", "main"}, {"paths", paths}}), Outcome::none);
  EXPECT_EQ(trigger.push({{"branch", "release/1"}, {"paths", {"README"}}}), Outcome::none);
  EXPECT_EQ(trigger.push({{"branch", "release/1"},
                          {"ref", "refs/heads/release/1"},
                          {"after", std::string(40, 'a')},
                          {"paths", {"README", "src/a.py"}}}),
            Outcome::fires);
  EXPECT_EQ(trigger.last.cause.commit, std::string(40, 'a'));
  EXPECT_EQ(trigger.last.cause.repository, "git.example.org/train");
  EXPECT_EQ(trigger.push({{"tag", "v2"}}), Outcome::fires);  // may have changed any path
  EXPECT_EQ(trigger.hear(EventKind::git_push, {{"repository", "git.example.org/other"},
                                               {"branch", "release/1"}}),
            Outcome::none);
}

json above(int times, json others = json::object()) {
  json metric{{"artifact", "lhcb/trk@production"},
              {"name", "chi2_ndf"},
              {"above", 3.0},
              {"times", times}};
  metric.update(others);
  return {{"metric", metric}};
}

TEST(TriggerDecision, CountsHowOftenInARowAThresholdIsCrossed) {
  Told trigger = told(above(2));
  EXPECT_EQ(trigger.evaluation({{"chi2_ndf", 3.1}}), Outcome::noted);
  EXPECT_EQ(trigger.evaluation({{"chi2_ndf", 2.9}}), Outcome::noted);  // begins again
  EXPECT_EQ(trigger.evaluation({{"chi2_ndf", 3.1}}), Outcome::noted);
  EXPECT_EQ(trigger.evaluation({{"other", 9}}), Outcome::none);
  EXPECT_EQ(trigger.evaluation({{"chi2_ndf", "Infinity"}}), Outcome::fires);
  EXPECT_EQ(trigger.evaluation({{"chi2_ndf", 3.1}}), Outcome::noted);  // … anew
  EXPECT_EQ(trigger.evaluation({{"chi2_ndf", 3.1}}), Outcome::fires);
}

TEST(TriggerDecision, CountsForEachVersionByItself) {
  Told trigger = told(above(2));
  EXPECT_EQ(trigger.evaluation({{"chi2_ndf", 4}}), Outcome::noted);
  EXPECT_EQ(trigger.evaluation({{"chi2_ndf", 4}}, {{"version", 5}}), Outcome::noted);
  EXPECT_EQ(trigger.evaluation({{"chi2_ndf", 4}}, {{"version", 5}}), Outcome::fires);
}

TEST(TriggerDecision, LooksOnlyAtTheVersionThatTheAliasPointedAt) {
  Told trigger = told(above(1));
  EXPECT_EQ(trigger.evaluation({{"chi2_ndf", 4}}, {{"aliases", {"staging"}}}),
            Outcome::none);
  EXPECT_EQ(trigger.evaluation({{"chi2_ndf", 4}}, {{"artifact", "lhcb/pid"}}),
            Outcome::none);
  EXPECT_EQ(trigger.evaluation({{"chi2_ndf", 3.0}}), Outcome::noted);  // not above
  EXPECT_EQ(trigger.evaluation({{"chi2_ndf", "NaN"}}), Outcome::noted);
  EXPECT_EQ(trigger.evaluation({{"chi2_ndf", 4}}), Outcome::fires);
}

TEST(TriggerDecision, LooksOnlyAtTheDatasetThatItNames) {
  Told trigger = told(above(1, {{"dataset", "lhcb/valid:2"}}));
  EXPECT_EQ(trigger.evaluation({{"chi2_ndf", 4}}), Outcome::none);
  EXPECT_EQ(trigger.evaluation({{"chi2_ndf", 4}}, {{"dataset", "lhcb/valid:1"}}),
            Outcome::none);
  EXPECT_EQ(trigger.evaluation({{"chi2_ndf", 4}}, {{"dataset", "lhcb/Valid:2"}}),
            Outcome::fires);
}

TEST(TriggerDecision, NeedsAllOfThemSinceItFiredLast) {
  Told trigger = told({{"all", {kCalib, {{"new_version", "lhcb/valid"}}}}});
  EXPECT_EQ(trigger.version("lhcb/calib"), Outcome::noted);
  EXPECT_EQ(trigger.version("lhcb/calib"), Outcome::noted);
  EXPECT_EQ(trigger.version("lhcb/valid"), Outcome::fires);
  EXPECT_EQ(trigger.last.reason, "lhcb/calib:2 is new; lhcb/valid:3 is new");
  EXPECT_EQ(trigger.version("lhcb/valid"), Outcome::noted);
}

TEST(TriggerDecision, NeedsAnyOfThem) {
  Told trigger = told(
      {{"any",
        {kCalib, {{"all", {{{"new_version", "lhcb/a"}}, {{"new_version", "lhcb/b"}}}}}}}});
  EXPECT_EQ(trigger.version("lhcb/a"), Outcome::noted);
  EXPECT_EQ(trigger.version("lhcb/calib"), Outcome::fires);
  EXPECT_EQ(trigger.version("lhcb/a"), Outcome::noted);
  EXPECT_EQ(trigger.version("lhcb/b"), Outcome::fires);
}

TEST(TriggerDecision, ForgetsAThresholdThatIsNotCrossedAnyMore) {
  Told trigger = told({{"all", {kCalib, above(1)}}});
  EXPECT_EQ(trigger.evaluation({{"chi2_ndf", 4}}), Outcome::noted);
  EXPECT_EQ(trigger.evaluation({{"chi2_ndf", 1}}), Outcome::noted);
  EXPECT_EQ(trigger.version("lhcb/calib"), Outcome::noted);
  EXPECT_EQ(trigger.evaluation({{"chi2_ndf", 4}}), Outcome::fires);
}

TEST(TriggerDecision, FiresForAnIndicatorThatFallsBehind) {
  Told trigger = told({{"kpi", {{"id", "KPI2.2.1.1"}, {"behind_pace", true}}}});
  EXPECT_EQ(trigger.version("lhcb/calib"), Outcome::none);
  EXPECT_EQ(trigger.hear(EventKind::kpi, {{"kpi", "KPI3"}, {"value", 1}, {"expected", 2}}),
            Outcome::none);
  EXPECT_EQ(trigger.hear(EventKind::kpi,
                         {{"kpi", "kpi2.2.1.1"}, {"value", 1000}, {"expected", 2500.25}}),
            Outcome::fires);
  EXPECT_THAT(trigger.last.reason,
              HasSubstr("behind its pace: it is 1000, and 2500.2 was expected"));
  EXPECT_EQ(describe(trigger.document), "KPI2.2.1.1 falling behind its pace");
}

// --- Waiting ----------------------------------------------------------------------------

TEST(TriggerDecision, WaitsForQuietAndStartsAnewWithEachEvent) {
  Told trigger = told(kCalib, {{"debounce_seconds", 600}});
  const Timestamp start = trigger.now;
  EXPECT_EQ(trigger.version("lhcb/calib"), Outcome::waits);
  EXPECT_EQ(trigger.state.due_at, start + minutes(10));
  trigger.now += minutes(9);
  EXPECT_EQ(trigger.version("lhcb/calib"), Outcome::waits);
  EXPECT_EQ(trigger.state.due_at, start + minutes(19));
  ASSERT_TRUE(trigger.state.pending.has_value());
  EXPECT_EQ(trigger.state.pending->since, start);
  EXPECT_EQ(trigger.state.pending->events, 2);
}

TEST(TriggerDecision, WaitsNoLongerThanTenTimes) {
  Told trigger = told(kCalib, {{"debounce_seconds", 600}});
  const Timestamp start = trigger.now;
  for (int i = 0; i < 11; ++i, trigger.now += minutes(9)) {
    EXPECT_EQ(trigger.version("lhcb/calib"), Outcome::waits);
  }
  EXPECT_EQ(trigger.state.due_at, start + minutes(100));
  trigger.now = start + minutes(101);  // and nobody has looked meanwhile
  EXPECT_EQ(trigger.version("lhcb/calib"), Outcome::fires);
}

TEST(TriggerDecision, FiresForWhatItHasWaitedWith) {
  Told trigger = told(kCalib, {{"debounce_seconds", 600}});
  trigger.version("lhcb/calib", json::object(), {3});
  trigger.version("lhcb/calib", json::object(), {5});
  const json due = due_payload(*trigger.state.pending);
  trigger.state = {};
  EXPECT_EQ(trigger.hear(EventKind::due, due), Outcome::fires);
  EXPECT_EQ(trigger.last.reason,
            "lhcb/calib:2 is new (the last of 2 events since 2024-02-13T00:00:00Z)");
  EXPECT_THAT(trigger.last.cause.chain, ElementsAre(3, 5, kTrigger));
}

// The time between its waiting being over and its firing is short, and not nothing.
TEST(TriggerDecision, KeepsWhatItHearsAfterItsWaitingWasOver) {
  Told trigger = told(kCalib, {{"debounce_seconds", 600}});
  trigger.version("lhcb/calib");
  const json due = due_payload(*trigger.state.pending);
  trigger.state = {};
  trigger.version("lhcb/calib");
  trigger.hear(EventKind::due, due);
  ASSERT_TRUE(trigger.state.pending.has_value());
  EXPECT_EQ(trigger.state.pending->cause.reason, "lhcb/calib:2 is new");
}

TEST(TriggerDecision, FiresAtTheEndOfItsCooldownForWhatCameMeanwhile) {
  Told trigger = told(kCalib, {{"cooldown_seconds", 3600}});
  const Timestamp start = trigger.now;
  EXPECT_EQ(trigger.version("lhcb/calib"), Outcome::fires);
  trigger.now += minutes(20);
  EXPECT_EQ(trigger.version("lhcb/calib"), Outcome::waits);
  EXPECT_EQ(trigger.state.due_at, start + hours(1));
  trigger.now = start + hours(1);
  EXPECT_EQ(trigger.version("lhcb/calib"), Outcome::fires);
}

TEST(TriggerDecision, TakesTheLaterOfQuietAndCooldown) {
  Told trigger = told(kCalib, {{"debounce_seconds", 60}, {"cooldown_seconds", 3600}});
  const Timestamp now = trigger.now;
  EXPECT_EQ(due_time(trigger.document, now, std::nullopt, now), now + seconds(60));
  EXPECT_EQ(due_time(trigger.document, now, now - hours(2), now), now + seconds(60));
  EXPECT_EQ(due_time(trigger.document, now, now - minutes(30), now), now + minutes(30));
}

TEST(TriggerDecision, WaitsForNobodyWhoFiresItByHand) {
  Told trigger = told({{"any", {kCalib, {{"manual", true}}}}},
                      {{"debounce_seconds", 600}, {"cooldown_seconds", 3600}});
  EXPECT_EQ(trigger.version("lhcb/calib"), Outcome::waits);
  EXPECT_EQ(trigger.hand(), Outcome::fires);
  EXPECT_EQ(trigger.last.reason, "lhcb/calib:1 is new; fired, by anna: why not");
  EXPECT_FALSE(trigger.state.pending.has_value());
}

TEST(TriggerDecision, IsNotForEverybodysHand) {
  Told trigger = told(kCalib);
  EXPECT_EQ(trigger.hand(), Outcome::none);
}

// --- Schedules --------------------------------------------------------------------------

TEST(TriggerDecision, FiresForTheSchedulesThatWereDue) {
  Told trigger = told({{"any",
                        {{{"schedule", "0 3 * * *"}},
                         {{"schedule", "0 5 * * *"}, {"timezone", "Europe/Rome"}}}}});
  EXPECT_THAT(trigger.document.next_time(trigger.now),
              Optional(parse_rfc3339("2024-02-13T03:00:00Z")));
  const auto since = parse_rfc3339("2024-02-13T03:00:00Z");
  const json at_three = schedule_payload(trigger.document, since, since);
  EXPECT_EQ(at_three.at("schedules").size(), 1u);
  EXPECT_EQ(trigger.hear(EventKind::schedule, at_three), Outcome::fires);
  EXPECT_EQ(trigger.last.reason,
            "the schedule 0 3 * * * (UTC) was due at 2024-02-13T03:00:00Z");
  const json missed = schedule_payload(trigger.document, since, since + hours(24 * 9));
  EXPECT_EQ(missed.at("schedules").size(), 2u);
}

TEST(TriggerDecision, DoesNotHearOfASchedulesThatItHasNoMore) {
  Told old = told({{"schedule", "0 3 * * *"}});
  const auto since = parse_rfc3339("2024-02-13T03:00:00Z");
  Told trigger = told({{"schedule", "0 4 * * *"}});
  EXPECT_EQ(trigger.hear(EventKind::schedule, schedule_payload(old.document, since, since)),
            Outcome::none);
}

// --- Loops ------------------------------------------------------------------------------

TEST(TriggerDecision, SkipsWhatItStartedItself) {
  Told trigger = told(kCalib);
  EXPECT_EQ(trigger.version("lhcb/calib", json::object(), {3, kTrigger, 9}),
            Outcome::skipped);
  EXPECT_EQ(trigger.state, TriggerState());
}

TEST(TriggerDecision, EndsAChainThatIsTooLong) {
  Told trigger = told(kCalib);
  EXPECT_EQ(trigger.version("lhcb/calib", json::object(), {11, 12, 13, 14, 15, 16, 17}),
            Outcome::fires);
  EXPECT_EQ(trigger.last.cause.chain.size(), kChainMax);
  EXPECT_EQ(trigger.version("lhcb/calib", json::object(), {11, 12, 13, 14, 15, 16, 17, 18}),
            Outcome::skipped);
}

TEST(TriggerDecision, IsNotStoppedByManyShortChains) {
  Told trigger = told(kCalib, {{"debounce_seconds", 600}});
  for (std::int64_t other = 100; other < 120; ++other) {
    EXPECT_EQ(trigger.version("lhcb/calib", json::object(), {other}), Outcome::waits);
  }
  EXPECT_LT(trigger.state.pending->cause.chain.size(), kChainMax);
}

// --- What is stored ---------------------------------------------------------------------

TEST(TriggerDecision, IsTheSameAfterItsStateWasStored) {
  Told trigger = told({{"all", {kCalib, above(2)}}}, {{"debounce_seconds", 600}});
  trigger.version("lhcb/calib", json::object(), {3});
  trigger.evaluation({{"chi2_ndf", 4}});
  EXPECT_EQ(parse_progress(progress_text(trigger.state)), trigger.state.leaves);
  trigger.evaluation({{"chi2_ndf", 4}});
  ASSERT_TRUE(trigger.state.pending.has_value());
  EXPECT_EQ(parse_pending(pending_text(*trigger.state.pending)), *trigger.state.pending);
}

TEST(TriggerDecision, RefusesAnEventThatItCannotRead) {
  Told trigger = told(kCalib);
  try {
    trigger.hear(EventKind::new_version, json::object());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::data_loss);
  }
}

TEST(TriggerDocument, ListensToEachTopicOnce) {
  Told trigger =
      told({{"any",
             {kCalib,
              {{"new_version", "LHCB/calib"}, {"labels", {{"a", "b"}}}},
              {{"git_push", {{"repository", "git@Git.example.org:train.git"}}}},
              {{"git_push",
                {{"repository", "https://git.example.org/train"}, {"paths", {"src/**"}}}}},
              {{"alias_moved", "lhcb/trk@Production"}},
              above(1)}}});
  std::vector<std::string> topics;
  for (const auto& topic : trigger.document.topics()) topics.push_back(topic.topic);
  EXPECT_THAT(topics, ElementsAre("alias/lhcb/trk/production", "evaluation/lhcb/trk",
                                  "push/git.example.org/train", "version/lhcb/calib"));
  EXPECT_TRUE(trigger.document.topics()[2].wants_paths);
  EXPECT_EQ(trigger.document.watched_namespaces().size(), 1u);
}

TEST(TriggerDocument, IsDescribedInWords) {
  Told trigger =
      told({{"any",
             {{{"all",
                {{{"new_version", "lhcb/calib"}, {"labels", {{"a", "b"}, {"c", "d"}}}},
                 above(2)}}},
              {{"schedule", "0 3 * * 1"}, {"timezone", "Europe/Rome"}},
              {{"manual", true}}}}});
  EXPECT_EQ(describe(trigger.document),
            "(a new version of lhcb/calib with a=b and c=d and chi2_ndf of "
            "lhcb/trk@production above 3, 2 times in a row) or the schedule 0 3 * * 1 "
            "(Europe/Rome) or somebody who fires it");
}

}  // namespace
}  // namespace mendel::registry
