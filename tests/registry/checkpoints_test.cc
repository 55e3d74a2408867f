#include "registry/services/checkpoints.h"

#include <gmock/gmock.h>

#include "registry/services/run_publication.h"
#include "tests/registry/run_fixture.h"

namespace mendel::registry {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Checkpoints : public RunTest {
 protected:
  RunService::Identity start_keeping(const std::string& rule) {
    auto request = run_request("wgan");
    request.keep = KeepRule::parse(rule);
    request.hyperparameters = R"({"lr":0.001})";
    return identity(start(request));
  }

  CheckpointService::Request request(std::int64_t step, const std::string& content,
                                     const std::string& metrics = "{}") {
    return {.step = step,
            .kind = storage::ArtifactKind::model,
            .manifest = manifest_of(content),
            .manifest_digest = std::nullopt,
            .metrics = metrics};
  }
  schema::CheckpointRow add(const RunService::Identity& run, std::int64_t step,
                            double chi2_ndf) {
    return registry.checkpoints
        .add(admin, run,
             request(step, "weights " + std::to_string(step),
                     nlohmann::json{{"chi2_ndf", chi2_ndf}}.dump()))
        .checkpoint;
  }

  std::vector<std::int64_t> kept(const RunService::Identity& run) {
    std::vector<std::int64_t> steps;
    for (const auto& row : registry.checkpoints.list(run.id, {100, std::nullopt}).items) {
      if (row.state == "kept") steps.push_back(row.step);
    }
    return steps;
  }

  std::int64_t selected(const RunService::Identity& run, const char* selector) {
    return registry.checkpoints.get(run.id, CheckpointSelector::parse(selector)).step;
  }

  std::vector<Digest> dropped_manifests() {
    return test_database.database().read("a test", [&](schema::Transaction& tx) {
      return schema::list_dropped_manifests(tx, ns, std::nullopt, 100);
    });
  }

  PublishingService::Outcome publish(const RunService::Identity& run,
                                     const std::string& checkpoint) {
    PublishingService::Request request{.artifact = ArtifactName::parse("lhcb", "trk"),
                                       .kind = storage::ArtifactKind::model,
                                       .manifest = std::nullopt,
                                       .run = run.uuid,
                                       .checkpoint = checkpoint};
    registry.run_publication.complete(ns, request);
    return registry.publishing.publish(admin, ns, request);
  }
};

TEST_F(Checkpoints, AreThereOnceHoweverOftenTheyAreSent) {
  const auto run = start_keeping("");
  const auto sent = request(100, "weights", R"({"chi2_ndf": 2.4})");
  EXPECT_TRUE(registry.checkpoints.add(admin, run, sent).is_new);
  const auto again = registry.checkpoints.add(admin, run, sent);
  EXPECT_FALSE(again.is_new);
  EXPECT_EQ(again.checkpoint.state, "kept");
  EXPECT_EQ(again.checkpoint.size_bytes, 7);

  EXPECT_EQ(error_of([&] {
              registry.checkpoints.add(admin, run, request(100, "others", sent.metrics));
            }),
            ErrorCode::already_exists);
  EXPECT_EQ(error_of([&] {
              registry.checkpoints.add(admin, run, request(100, "weights", "{}"));
            }),
            ErrorCode::already_exists);
}

TEST_F(Checkpoints, OfARunThatHasEndedAreRefused) {
  const auto run = start_keeping("");
  const auto sent = request(100, "weights");
  registry.checkpoints.add(admin, run, sent);
  registry.runs.change(admin, run.uuid, status("finished"));
  EXPECT_FALSE(registry.checkpoints.add(admin, run, sent).is_new) << "sent again";
  EXPECT_EQ(error_of([&] { registry.checkpoints.add(admin, run, request(200, "w")); }),
            ErrorCode::already_exists);
  EXPECT_THAT(kept(run), ElementsAre(100));
}

TEST_F(Checkpoints, NeedTheirBytes) {
  const auto run = start_keeping("");
  auto sent = request(100, "weights");
  sent.manifest->files[0].digest = Digest::of("never sent");
  EXPECT_EQ(error_of([&] { registry.checkpoints.add(admin, run, sent); }),
            ErrorCode::unprocessable);
  EXPECT_THAT(kept(run), IsEmpty());
}

TEST_F(Checkpoints, AreDroppedByTheKeepRuleAsTheyCome) {
  const auto run = start_keeping("best:2:chi2_ndf:min,last:1,every:1000");
  const std::vector<double> values{9, 3, 7, 2, 8, 4, 6, 5, 9, 9, 9};
  for (std::size_t i = 0; i < values.size(); ++i) {
    add(run, static_cast<std::int64_t>(i + 1) * 100, values[i]);
  }
  EXPECT_THAT(kept(run), ElementsAre(1100, 1000, 400, 200));
  EXPECT_EQ(registry.checkpoints.list(run.id, {100, std::nullopt}).items.size(), 11u)
      << "those that were dropped are told of";
  EXPECT_EQ(add(run, 50, 10).state, "dropped") << "one that comes late may be so at once";
  EXPECT_EQ(registry.runs.get(run.uuid).checkpoint_count, 12);
}

TEST_F(Checkpoints, AreSelected) {
  const auto run = start_keeping("");
  EXPECT_EQ(error_of([&] { selected(run, "last"); }), ErrorCode::not_found);
  for (const auto& [step, value] : {std::pair{100, 5.0}, {200, 2.4}, {300, 3.0}}) {
    add(run, step, value);
  }
  EXPECT_EQ(selected(run, "best:chi2_ndf:min"), 200);
  EXPECT_EQ(selected(run, "best:chi2_ndf:max"), 100);
  EXPECT_EQ(selected(run, "last"), 300);
  EXPECT_EQ(selected(run, "step:100"), 100);
  EXPECT_EQ(error_of([&] { selected(run, "step:101"); }), ErrorCode::not_found);
  EXPECT_EQ(error_of([&] { selected(run, "best:loss:min"); }), ErrorCode::not_found);
  for (const char* text : {"", "best", "best:x", "best::min", "best:x:low",
                           "step:", "step:-1", "step:1x", "first"}) {
    EXPECT_EQ(error_of([&] { CheckpointSelector::parse(text); }),
              ErrorCode::invalid_argument)
        << text;
  }
}

TEST_F(Checkpoints, ArePublishedWithoutTheirBytesAndStayThen) {
  const auto run = start_keeping("best:1:chi2_ndf:min");
  const auto best = add(run, 100, 2.4);
  const auto outcome = publish(run, "best:chi2_ndf:min");
  const Version& version = outcome.record->version;
  EXPECT_TRUE(outcome.created);
  EXPECT_EQ(version.digest, best.digest);
  EXPECT_EQ(version.run, run.uuid);
  EXPECT_EQ(version.hyperparameters, R"({"lr":0.001})");
  EXPECT_EQ(nlohmann::json::parse(version.metrics)["chi2_ndf"], 2.4);
  EXPECT_THAT(registry.runs.outputs(run.uuid), ElementsAre("lhcb/trk:1"));

  add(run, 200, 1.0);
  EXPECT_THAT(kept(run), ElementsAre(200, 100)) << "a version is made of it";
  EXPECT_FALSE(publish(run, "step:100").created);
}

TEST_F(Checkpoints, ThatWereDroppedCannotBePublished) {
  const auto run = start_keeping("last:1");
  add(run, 100, 1.0);
  add(run, 200, 2.0);
  EXPECT_EQ(error_of([&] { publish(run, "step:100"); }), ErrorCode::already_exists);
}

TEST_F(Checkpoints, LeaveManifestsThatNobodyNeeds) {
  const auto run = start_keeping("last:1");
  const auto first = add(run, 100, 1.0);
  EXPECT_THAT(dropped_manifests(), IsEmpty());
  add(run, 200, 2.0);
  EXPECT_THAT(dropped_manifests(), ElementsAre(first.digest));

  const auto other = identity(start(run_request("other")));
  registry.checkpoints.add(admin, other, request(5, "weights 100"));
  EXPECT_THAT(dropped_manifests(), IsEmpty()) << "another run has kept the same";
}

}  // namespace
}  // namespace mendel::registry
