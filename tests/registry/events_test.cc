#include "registry/services/triggers/events.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "schema/events.h"
#include "tests/registry/run_fixture.h"

namespace mendel::registry {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Events : public RunTest {
 protected:
  PublishingService::Outcome publish(const std::string& content,
                                     std::vector<AliasName> aliases = {}) {
    return registry.publishing.publish(admin, ns,
                                       {.artifact = ArtifactName::parse("lhcb/Calib"),
                                        .kind = storage::ArtifactKind::dataset,
                                        .manifest = dataset(content),
                                        .labels = {{"data-taking", "2016MU"}},
                                        .aliases = std::move(aliases)});
  }

  storage::Manifest dataset(const std::string& content) {
    auto manifest = manifest_of(content);
    manifest.kind = storage::ArtifactKind::dataset;
    return manifest;
  }

  // All there are, the oldest first.
  std::vector<schema::EventRow> events() {
    auto found =
        test_database.database().read("list the events", [&](schema::Transaction& tx) {
          schema::NamespaceViewer everybody;
          everybody.sees_all = true;
          return schema::list_events(tx, everybody, std::nullopt, std::nullopt, 100);
        });
    std::ranges::reverse(found);
    return found;
  }

  std::vector<std::string> topics() {
    std::vector<std::string> found;
    for (const auto& event : events()) found.push_back(event.topic);
    return found;
  }

  std::int64_t record_something() {
    return test_database.database().transact("record", [&](schema::Transaction& tx) {
      return record_event(tx, {.kind = EventKind::git_push,
                               .topic = push_topic("git.example.org/train"),
                               .ns = std::nullopt,
                               .payload = "{}",
                               .chain = {3, 5},
                               .cause_job = ""});
    });
  }
};

TEST_F(Events, TellOfEachNewVersionAndOfTheAliasesThatCameWithIt) {
  publish("first", {AliasName::parse("Staging")});
  publish("first", {AliasName::parse("production")});  // the same version
  publish("second", {AliasName::parse("production")});

  EXPECT_THAT(topics(), ElementsAre("version/lhcb/calib", "alias/lhcb/calib/staging",
                                    "alias/lhcb/calib/production", "version/lhcb/calib",
                                    "alias/lhcb/calib/production"));
  const auto version = json::parse(events().front().payload);
  EXPECT_EQ(version.at("artifact"), "lhcb/Calib");
  EXPECT_EQ(version.at("version"), 1);
  EXPECT_EQ(version.at("labels"), json({{"data-taking", "2016MU"}}));
  const auto move = json::parse(events().back().payload);
  EXPECT_EQ(move.at("alias"), "production");
  EXPECT_EQ(move.at("version"), 2);
  EXPECT_EQ(move.at("previous"), 1);
}

TEST_F(Events, DoNotTellOfAVersionThatWasNotPublished) {
  publish("first");
  EXPECT_EQ(error_of([&] {
              registry.publishing.publish(admin, ns,
                                          {.artifact = ArtifactName::parse("lhcb/Calib"),
                                           .kind = storage::ArtifactKind::model,
                                           .manifest = manifest_of("another")});
            }),
            ErrorCode::not_found);
  EXPECT_THAT(topics(), SizeIs(1));
}

TEST_F(Events, TellOfAnAliasThatMovesAndNotOfOneThatStays) {
  publish("first");
  const auto artifact = ArtifactName::parse("lhcb/Calib");
  const auto alias = AliasName::parse("production");
  for (int i = 0; i < 2; ++i) {
    registry.aliases.set(admin, ns, artifact, storage::ArtifactKind::dataset, alias, 1, "",
                         [](const auto&) {});
  }
  registry.aliases.remove(admin, ns, artifact, storage::ArtifactKind::dataset, alias, "",
                          [](const auto&) {});
  EXPECT_THAT(topics(), ElementsAre("version/lhcb/calib", "alias/lhcb/calib/production"));
}

TEST_F(Events, TellOfAnEvaluationWithWhatTheVersionWasCalledThen) {
  const auto first = publish("first", {AliasName::parse("production")}).record->version;
  const auto data = publish("second").record->version;
  EvaluationService::Request asked{.uuid = "01a1fe0c-89bd-7173-af3a-7189431de521",
                                   .version = first.id,
                                   .dataset = data.id,
                                   .digest = Digest::of("a"),
                                   .metrics = R"({"chi2_ndf": 2.5})",
                                   .labels = "{}",
                                   .measured_at = std::nullopt};
  registry.evaluations.record(admin, asked);
  registry.evaluations.record(admin, asked);  // once, however often it is sent
  asked.uuid.reset();
  asked.version = data.id;
  registry.evaluations.record(admin, asked);

  const auto found = events();
  ASSERT_THAT(found, SizeIs(5));
  EXPECT_EQ(found[3].topic, "evaluation/lhcb/calib");
  const auto of_first = json::parse(found[3].payload);
  EXPECT_EQ(of_first.at("version"), 1);
  EXPECT_EQ(of_first.at("aliases"), json({"production"}));
  EXPECT_EQ(of_first.at("latest"), false);
  EXPECT_EQ(of_first.at("metrics"), json({{"chi2_ndf", 2.5}}));
  EXPECT_EQ(of_first.at("dataset"), "lhcb/Calib:2");
  EXPECT_EQ(json::parse(found[4].payload).at("latest"), true);
}

TEST_F(Events, AreKeptWithTheTriggersThatLedToThem) {
  record_something();
  ASSERT_THAT(events(), SizeIs(1));
  EXPECT_THAT(events()[0].chain, ElementsAre(3, 5));
  EXPECT_EQ(events()[0].state, "unconsumed");
}

TEST_F(Events, AreReplayedToTheTriggersThatTheyCouldNotBeToldTo) {
  const auto now = registry.clock.now();
  const std::int64_t id = record_something();
  auto& database = test_database.database();
  database.transact("pass over", [&](schema::Transaction& tx) {
    schema::pass_over_trigger(tx, id, 7, "it is broken");
    schema::advance_event(tx, id, 9);
    schema::end_event(tx, id, now);
  });
  EXPECT_EQ(events()[0].state, "parked");
  EXPECT_THAT(events()[0].parked_triggers, ElementsAre(7));

  database.transact("replay", [&](schema::Transaction& tx) {
    EXPECT_TRUE(schema::replay_event(tx, id));
    EXPECT_FALSE(schema::replay_event(tx, id));
  });
  EXPECT_EQ(events()[0].state, "unconsumed");
  EXPECT_EQ(events()[0].after_trigger, 0);
  EXPECT_THAT(events()[0].only_triggers, ::testing::Optional(ElementsAre(7)));
  EXPECT_THAT(events()[0].parked_triggers, IsEmpty());
}

TEST_F(Events, AreToldAgainNotBeforeTheirTime) {
  const auto now = registry.clock.now();
  const std::int64_t id = record_something();
  const auto listed_at = [&](Timestamp time) {
    return test_database.database().read("list", [&](schema::Transaction& tx) {
      return schema::list_unconsumed_events(tx, time, 0, 10);
    });
  };
  EXPECT_THAT(listed_at(now), ElementsAre(id));
  test_database.database().transact("fail", [&](schema::Transaction& tx) {
    schema::fail_event(tx, id, "it rained", now + std::chrono::seconds(5));
  });
  EXPECT_THAT(listed_at(now), IsEmpty());
  EXPECT_THAT(listed_at(now + std::chrono::seconds(5)), ElementsAre(id));
}

}  // namespace
}  // namespace mendel::registry
