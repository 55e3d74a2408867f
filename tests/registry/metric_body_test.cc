#include "registry/api/metric_body.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <span>

#include "storage/base/error.h"

namespace mendel::registry::api {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

struct Refusal {
  std::string pointer;
  std::string detail;
};

Refusal refusal_of(std::string_view document) {
  try {
    parse_metrics(document);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument) << document;
    if (error.fields().empty()) return {"", error.what()};
    return {error.fields().front().pointer, error.fields().front().detail};
  }
  ADD_FAILURE() << "was taken: " << document;
  return {};
}

TEST(MetricDocument, GivesItsEntries) {
  const MetricBatch batch = parse_metrics(R"({"metrics": [
      {"name": "loss", "step": 100, "value": 0.5, "time": "2024-02-13T00:00:00Z"},
      {"value": "NaN", "step": 0, "name": "acc"},
      {"name": "loss", "step": 90.0, "value": -3},
      {"name": "loss", "step": 9007199254740992, "value": "-Infinity"}]})");
  EXPECT_THAT(batch.names, ElementsAre("loss", "acc"));
  ASSERT_THAT(batch.entries, SizeIs(4));
  EXPECT_EQ(batch.entries[0].time, parse_rfc3339("2024-02-13T00:00:00Z"));
  EXPECT_EQ(batch.entries[0].value, 0.5);
  EXPECT_EQ(batch.entries[1].name, 1u);
  EXPECT_TRUE(std::isnan(batch.entries[1].value));
  EXPECT_FALSE(batch.entries[1].time.has_value());
  EXPECT_EQ(batch.entries[2].step, 90);
  EXPECT_EQ(batch.entries[2].value, -3.0);
  EXPECT_EQ(batch.entries[3].step, kMetricStepMax);
  EXPECT_EQ(batch.entries[3].value, -INFINITY);
}

TEST(MetricDocument, MayBeEmpty) {
  EXPECT_THAT(parse_metrics(R"({"metrics": []})").entries, SizeIs(0));
}

TEST(MetricDocument, IsRefusedWhereARuleIsBroken) {
  const auto entry = [](const std::string& members) {
    return R"({"metrics": [{"name": "a", "step": 1, "value": 2}, {)" + members + "}]}";
  };
  EXPECT_EQ(refusal_of(entry(R"("step": 1, "value": 2)")).pointer, "/metrics/1/name");
  EXPECT_EQ(refusal_of(entry(R"("name": "a", "value": 2)")).pointer, "/metrics/1/step");
  EXPECT_EQ(refusal_of(entry(R"("name": "a", "step": 1)")).pointer, "/metrics/1/value");
  EXPECT_EQ(refusal_of(entry(R"("name": "")")).pointer, "/metrics/1/name");
  EXPECT_EQ(refusal_of(entry(R"("name": "a\u0000b")")).pointer, "/metrics/1/name");
  EXPECT_EQ(refusal_of(entry("\"name\": \"" + std::string(251, 'x') + "\"")).pointer,
            "/metrics/1/name");
  EXPECT_EQ(refusal_of(entry(R"("name": 5)")).pointer, "/metrics/1/name");
  for (const char* step : {"-1", "1.5", "9007199254740993", "18446744073709551615", "1e300",
                           "\"1\"", "null", "true", "[1]", "{}", "-1e300"}) {
    EXPECT_EQ(refusal_of(entry(std::string("\"step\": ") + step)).pointer,
              "/metrics/1/step")
        << step;
  }
  for (const char* value : {"null", "true", "\"nan\"", "\"1\"", "[1]", "{}"}) {
    EXPECT_EQ(refusal_of(entry(std::string("\"value\": ") + value)).pointer,
              "/metrics/1/value")
        << value;
  }
  EXPECT_EQ(refusal_of(entry(R"("time": "yesterday")")).pointer, "/metrics/1/time");
  EXPECT_EQ(refusal_of(entry(R"("time": 5)")).pointer, "/metrics/1/time");
  EXPECT_EQ(refusal_of(entry(R"("name": "a", "name": "b")")).detail, "is there twice");
  EXPECT_EQ(refusal_of(entry(R"("run": "a")")).pointer, "/metrics/1/run");
}

TEST(MetricDocument, IsAnObjectWithAnArray) {
  EXPECT_EQ(refusal_of("{}").pointer, "/metrics");
  EXPECT_EQ(refusal_of(R"({"metrics": {}})").pointer, "/metrics");
  EXPECT_EQ(refusal_of(R"({"metrics": [[]]})").pointer, "/metrics/0");
  EXPECT_EQ(refusal_of(R"({"metrics": [], "more": 1})").pointer, "/more");
  EXPECT_EQ(refusal_of(R"({"metrics": [], "metrics": []})").pointer, "/metrics");
  EXPECT_THAT(refusal_of("[]").detail, HasSubstr("object"));
  EXPECT_THAT(refusal_of("7").detail, HasSubstr("object"));
  EXPECT_THAT(refusal_of("").detail, HasSubstr("JSON"));
  EXPECT_THAT(refusal_of(R"({"metrics": [)").detail, HasSubstr("JSON"));
  EXPECT_THAT(refusal_of(R"({"metrics": []} x)").detail, HasSubstr("JSON"));
  EXPECT_THAT(refusal_of("{\"metrics\": [{\"name\": \"\xff\"}]}").detail,
              HasSubstr("JSON"));
}

class Lines : public ::testing::Test {
 protected:
  void append(std::string_view text) { lines.append(std::as_bytes(std::span(text))); }

  std::vector<std::size_t> sizes;  // of the batches
  std::vector<std::int64_t> steps;
  MetricLines lines{[this](const MetricBatch& batch) {
    sizes.push_back(batch.entries.size());
    for (const auto& entry : batch.entries) steps.push_back(entry.step);
  }};
};

TEST_F(Lines, MayBeCutAnywhere) {
  const std::string text =
      "{\"name\":\"a\",\"step\":1,\"value\":1}\r\n\n"
      "  {\"name\":\"a\",\"step\":2,\"value\":1}\n"
      "{\"name\":\"b\",\"step\":3,\"value\":1}";
  for (const char c : text) append({&c, 1});
  lines.finish();
  EXPECT_THAT(steps, ElementsAre(1, 2, 3));
  EXPECT_THAT(sizes, ElementsAre(3));
}

TEST_F(Lines, AreHandedOnInPieces) {
  const std::size_t count = MetricLines::kBatchSizeMax + 1;
  for (std::size_t i = 0; i < count; ++i) {
    append("{\"name\":\"a\",\"step\":" + std::to_string(i) + ",\"value\":1}\n");
  }
  lines.finish();
  EXPECT_THAT(sizes, ElementsAre(MetricLines::kBatchSizeMax, 1));
}

TEST_F(Lines, SayWhichOneIsBroken) {
  append("{\"name\":\"a\",\"step\":1,\"value\":1}\n");
  try {
    append("{\"name\":\"a\",\"step\":-1,\"value\":1}\n");
    FAIL() << "was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
    EXPECT_THAT(error.what(), HasSubstr("line 2"));
    EXPECT_THAT(error.what(), HasSubstr("none were taken"));
    EXPECT_EQ(error.fields().at(0).pointer, "/1/step");
  }
  EXPECT_THAT(steps, SizeIs(0)) << "a body of few lines is taken whole or not at all";
}

TEST_F(Lines, HaveALimit) { EXPECT_THROW(append(std::string(70'000, ' ')), Error); }

}  // namespace
}  // namespace mendel::registry::api
