#include <gmock/gmock.h>

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/registry/kpi_server_fixture.h"

namespace mendel::registry::api {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

const std::string kCommit(40, 'c');

// calib:1 made trk:1, which is the parent of secret/gan:1; other:1 has nothing to do with
// them.
class KpiImpactTest : public KpiServerTest {
 protected:
  KpiImpactTest() {
    server.send("PUT", "/api/v1/namespaces/secret", "{}");
    define("K", {{"unit", "events"}});
    define("D", {{"count", {{"distinct", "site"}}}});
    define("NOTHING");
    const json source{{"repository", "https://example.org/r.git"}, {"commit", kCommit}};
    publish("lhcb", "calib");
    const auto trained =
        publish("lhcb", "trk", {{"inputs", input("lhcb/calib:1")}, {"source", source}});
    const auto tuned = publish("secret", "gan", {{"inputs", input("lhcb/trk:1")}});
    const auto other = publish("lhcb", "other");
    record({made_with("K", trained, "2016MU", 600), made_with("K", trained, "2017MD", 300),
            made_with("K", tuned, "2017MD", 50), made_with("K", other, "2016MU", 1000),
            made_with("D", trained, "2016MU", 1), made_with("D", other, "2016MU", 1)});
  }

  static json input(const std::string& ref) {
    return json::array({{{"role", "trained-on"}, {"ref", ref}}});
  }
  LedgerRow made_with(const std::string& kpi, std::int64_t version,
                      const std::string& campaign, std::int64_t value) {
    auto row =
        entry(kpi, kpi + campaign + std::to_string(version), "2024-02-01T00:00:00Z", value);
    row.version_id = version;
    row.subject = json{{"campaign", campaign}, {"site", "CNAF"}}.dump();
    return row;
  }
  json impact(const std::string& query, const HeaderList& headers = {}) {
    const auto answer = server.send("GET", "/api/v1/kpi-impact?" + query, "", headers);
    EXPECT_EQ(answer.status, 200) << answer.body;
    return answer.json();
  }
  static std::map<std::string, json> values(const json& parts) {
    std::map<std::string, json> values;
    for (const json& part : parts) values[part.at("key")] = part.at("value");
    return values;
  }
};

TEST_F(KpiImpactTest, IsWhatWasProducedDownstream) {
  const json answer = impact("ref=lhcb/calib:1");

  EXPECT_EQ(answer["ref"], "lhcb/calib:1");
  EXPECT_THAT(answer["versions"],
              UnorderedElementsAre("lhcb/calib:1", "lhcb/trk:1", "secret/gan:1"));
  EXPECT_EQ(answer["hidden"], 0);
  ASSERT_EQ(answer["kpis"].size(), 2U);
  EXPECT_EQ(answer["kpis"][0]["id"], "D");
  EXPECT_EQ(answer["kpis"][0]["value"], 1);
  const json& kpi = answer["kpis"][1];
  EXPECT_EQ(kpi["value"], 950);
  EXPECT_EQ(kpi["value_text"], "950 events");
  EXPECT_EQ(kpi["entries"], 3);
  EXPECT_EQ(kpi["share_percent"], 48.7);
  EXPECT_THAT(values(kpi["by"]), ElementsAre(Pair("2016MU", 600), Pair("2017MD", 350)));
  EXPECT_THAT(values(kpi["by_version"]),
              ElementsAre(Pair("lhcb/trk:1", 900), Pair("secret/gan:1", 50)));
}

TEST_F(KpiImpactTest, IsToldByAnyKey) {
  const json kpi = impact("ref=lhcb/trk&by=site")["kpis"][1];
  EXPECT_THAT(values(kpi["by"]), ElementsAre(Pair("CNAF", 950)));
}

TEST_F(KpiImpactTest, OfACommitIsThatOfItsVersions) {
  const json answer = impact("commit=ccccccc");
  EXPECT_THAT(answer["versions"], UnorderedElementsAre("lhcb/trk:1", "secret/gan:1"));
  EXPECT_EQ(answer["kpis"][1]["value"], 950);
}

TEST_F(KpiImpactTest, LooksAtNothingThatTheCallerMayNotRead) {
  const json answer = impact("ref=lhcb/calib:1", token_of("reader", "reader"));
  EXPECT_THAT(answer["versions"], UnorderedElementsAre("lhcb/calib:1", "lhcb/trk:1"));
  EXPECT_EQ(answer["hidden"], 1);
  EXPECT_EQ(answer["kpis"][1]["value"], 900);

  const auto stranger = token_of("stranger", "");
  const auto status = [&](const std::string& query) {
    return server.send("GET", "/api/v1/kpi-impact?" + query, "", stranger).status;
  };
  EXPECT_EQ(status("ref=lhcb/calib:1"), 404);
  EXPECT_EQ(status("commit=ccccccc"), 404);
}

TEST_F(KpiImpactTest, IsNothingWhereNothingWasProduced) {
  server.send("PUT", "/api/v1/namespaces/empty", "{}");
  publish("empty", "model");
  EXPECT_THAT(impact("ref=empty/model:1")["kpis"], IsEmpty());
}

TEST_F(KpiImpactTest, NeedsOneQuestion) {
  for (const char* query :
       {"", "ref=lhcb/calib:1&commit=ccccccc", "ref=nonsense", "commit=ccc",
        "ref=lhcb/calib:1&by=month", "ref=lhcb/calib:1&by=9"}) {
    EXPECT_EQ(server.send("GET", std::string("/api/v1/kpi-impact?") + query).status, 400)
        << query;
  }
  EXPECT_EQ(server.send("GET", "/api/v1/kpi-impact?ref=lhcb/none:1").status, 404);
}

}  // namespace
}  // namespace mendel::registry::api
