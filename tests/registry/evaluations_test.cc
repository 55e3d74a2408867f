#include "registry/services/evaluations.h"

#include <gmock/gmock.h>

#include "tests/registry/run_fixture.h"

namespace mendel::registry {
namespace {

using ::testing::SizeIs;

class Evaluations : public RunTest {
 protected:
  VersionId publish(const std::string& name) {
    return registry.publishing
        .publish(admin, ns,
                 {.artifact = ArtifactName::parse("lhcb", name),
                  .kind = storage::ArtifactKind::model,
                  .manifest = manifest_of("content of " + name)})
        .record->version.id;
  }

  EvaluationService::Request request(const std::string& metrics) {
    return {.uuid = std::nullopt,
            .version = version,
            .dataset = std::nullopt,
            .digest = Digest::of(metrics),
            .metrics = metrics,
            .labels = "{}",
            .measured_at = std::nullopt};
  }

  VersionId version = publish("trk");
};

TEST_F(Evaluations, AreListedNewestFirst) {
  for (int i = 0; i < 5; ++i) {
    registry.evaluations.record(admin, request(nlohmann::json{{"chi2_ndf", i}}.dump()));
  }
  const auto page = registry.evaluations.list(version, {3, std::nullopt});
  ASSERT_THAT(page.items, SizeIs(3));
  EXPECT_EQ(nlohmann::json::parse(page.items[0].metrics)["chi2_ndf"], 4);
  const auto rest = registry.evaluations.list(version, {3, page.next});
  EXPECT_THAT(rest.items, SizeIs(2));
  EXPECT_FALSE(rest.next.has_value());
}

TEST_F(Evaluations, NameTheirDataset) {
  auto asked = request(R"({"chi2_ndf": 2.6})");
  asked.dataset = publish("valid-2018");
  const auto recorded = registry.evaluations.record(admin, asked).evaluation;
  EXPECT_EQ(recorded.dataset, "lhcb/valid-2018:1");
  EXPECT_EQ(recorded.recorded_by, "admin");
  EXPECT_EQ(recorded.measured_at, registry.clock.now());
}

TEST_F(Evaluations, AreRecordedOnceForAnId) {
  auto asked = request(R"({"chi2_ndf": 2.6})");
  asked.uuid = "01a1fe0c-89bd-7173-af3a-7189431de521";
  EXPECT_TRUE(registry.evaluations.record(admin, asked).is_new);
  EXPECT_FALSE(registry.evaluations.record(admin, asked).is_new);
  asked.digest = Digest::of("another body");
  EXPECT_EQ(error_of([&] { registry.evaluations.record(admin, asked); }),
            ErrorCode::unprocessable);
  EXPECT_THAT(registry.evaluations.list(version, {10, std::nullopt}).items, SizeIs(1));
}

TEST_F(Evaluations, AreNotOfTheFuture) {
  auto asked = request(R"({"chi2_ndf": 2.6})");
  asked.measured_at = registry.clock.now() + std::chrono::hours(1);
  EXPECT_EQ(error_of([&] { registry.evaluations.record(admin, asked); }),
            ErrorCode::unprocessable);
}

}  // namespace
}  // namespace mendel::registry
