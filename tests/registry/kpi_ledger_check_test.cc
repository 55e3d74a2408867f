// What the recorder records, the check of the ledger finds as it was recorded.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "registry/services/ledger/chainer.h"
#include "registry/services/ledger/ledger_check.h"
#include "registry/services/ledger/roll_up.h"
#include "registry/services/ledger/sums.h"
#include "tests/registry/kpi_fixture.h"

namespace mendel::registry {
namespace {

using nlohmann::json;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class RecordedLedger : public KpiTest {
 protected:
  RecordedLedger() { kpi = define("Events", {{"allow_negative", true}}); }

  static json event(const std::string& id, const json& others = json::object()) {
    json row{{"kpi", "events"},
             {"namespace", "LHCb"},
             {"event_id", id},
             {"value", 1},
             {"occurred_at", "2024-02-12T10:00:00Z"}};
    row.update(others);
    return row;
  }
  static json correction(const std::string& id, const std::string& of, double value) {
    return {{"kpi", "Events"}, {"namespace", "lhcb"}, {"event_id", id},
            {"corrects", of},  {"value", value},      {"reason", "counted „twice“"}};
  }

  void expect_accepted(const std::vector<json>& rows) {
    const auto outcome = record(rows);
    for (const auto& refusal : outcome.refusals)
      ADD_FAILURE() << rows[refusal.index] << ": " << refusal.error.what();
  }

  void publish_model() {
    PublishingService::Request request{.artifact = ArtifactName::parse("lhcb/lamarr"),
                                       .kind = storage::ArtifactKind::model,
                                       .manifest = manifest_of("weights")};
    request.manifest->kind = storage::ArtifactKind::model;
    registry.publishing.publish(admin, ns, request);
  }

  LedgerCheckReport checked() {
    registry.chainer.chain_some();
    registry.roll_up.roll_up();
    registry.anchors.anchor_head();
    return registry.ledger_check.run();
  }

  std::vector<LedgerSum> sum() {
    registry.clock.advance(std::chrono::seconds(1));
    const Timestamp now = registry.clock.now();
    const auto head = registry.chainer.close_book(now);
    return registry.ledger_sums.by(
        kpi.counting, "",
        {.from = std::nullopt, .until = now, .at = now, .sequence = head.sequence});
  }

  KpiDefinition kpi;
};

TEST_F(RecordedLedger, IsFoundAsItWasRecordedWhateverItSays) {
  std::vector<json> rows;
  for (const double value : {0.0, 0.1, 1e-9, -2.5, 1e18, 123456789.0123, 1.0 / 3, 5e15})
    rows.push_back(event("value " + std::to_string(rows.size()), {{"value", value}}));
  for (const auto* time : {"2024-02-12T23:59:59.999999Z", "2024-02-12T10:00:00.5+02:00",
                           "1970-01-01T00:00:00Z"}) {
    rows.push_back(event("time " + std::to_string(rows.size()), {{"occurred_at", time}}));
  }
  rows.push_back(
      event("été/\"1\"\\日本.dst",
            {{"subject", {{"site", "Genève \"T0\""}, {"z", " "}, {"B", "b"}}},
             {"evidence", {"https://a.example/1,2?q='x'", "root://b.example//c"}},
             {"resources", {{"cpu_seconds", 0.001}, {"energy_kwh", 0}}}}));
  publish_model();
  rows.push_back(event("model", {{"model", "LHCb/Lamarr:1"}}));
  expect_accepted(rows);
  const auto report = checked();
  EXPECT_THAT(report.problems, IsEmpty());
  EXPECT_EQ(report.entries, static_cast<std::int64_t>(rows.size()));
}

TEST_F(RecordedLedger, CorrectionsComeToWhatTheySay) {
  expect_accepted({event("a", {{"value", 10}}), event("b", {{"value", 20}}),
                   correction("z", "a", 5), correction("c", "a", 7)});
  expect_accepted({correction("withdrawn", "b", 0)});
  expect_accepted({correction("back", "b", 2.5), correction("away", "a", 0)});
  EXPECT_THAT(checked().problems, IsEmpty());
  const auto sums = sum();
  ASSERT_THAT(sums, SizeIs(1));
  EXPECT_EQ(sums[0].amount.text(), "2.5");
  EXPECT_EQ(sums[0].weight, 1);
}

// Goal: while many record the same in different orders, and correct it, whatever is chained
// is sound, and everything is counted once in the end.
TEST_F(RecordedLedger, IsSoundWhileManyRecordTheSame) {
  constexpr int kEvents = 40;
  std::atomic<int> writers = 4;
  std::vector<std::jthread> threads;
  for (int writer = 0; writer < 4; ++writer) {
    threads.emplace_back([&, writer] {
      for (int round = 0; round < kEvents; round += 4) {
        std::vector<json> rows;
        for (int i = 0; i < 8; ++i) {
          const int n = (writer % 2 == 0 ? round + i : kEvents - 1 - round + i) % kEvents;
          rows.push_back(event(std::to_string(n), {{"value", 10}}));
          if (n % 5 == 0)
            rows.push_back(correction("fix " + std::to_string(n), std::to_string(n), 4));
        }
        record(rows);
      }
      --writers;
    });
  }
  while (writers > 0) EXPECT_THAT(checked().problems, IsEmpty());
  threads.clear();
  EXPECT_THAT(checked().problems, IsEmpty());
  const auto sums = sum();
  ASSERT_THAT(sums, SizeIs(1));
  EXPECT_EQ(sums[0].amount.text(), "352");  // 8 of the 40 were corrected
  EXPECT_EQ(sums[0].weight, kEvents);
}

}  // namespace
}  // namespace mendel::registry
