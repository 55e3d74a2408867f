#include <gmock/gmock.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "registry/api/kpi_report.h"
#include "tests/registry/kpi_server_fixture.h"

namespace mendel::registry::api {
namespace {

using nlohmann::json;
using std::chrono::days;
using std::chrono::hours;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::StartsWith;

class KpiReportTest : public KpiServerTest {
 protected:
  // The definitions and entries of the project's own report of 2024-02-13.
  void fill_february() {
    define("KPI2.2.1.1", {{"symbol", "N_MC"},
                          {"unit", "events"},
                          {"display", {{"unit", "billion events"}, {"scale", 1e9}}},
                          {"threshold", 1e9},
                          {"deadline", "2025-12-31"}});
    define("KPI2.2.1.2", {{"symbol", "N_EXP"},
                          {"unit", "experiments"},
                          {"count", {{"distinct", "experiment"}}},
                          {"threshold", 2}});
    define("KPI2.2.1.3", {{"symbol", "N_CONF"},
                          {"count", "entries"},
                          {"since", "2023-09-01"},
                          {"threshold", 3}});
    define("KPI2.2.1.4", {{"symbol", "N_UC"}, {"unit", "use-cases"}, {"threshold", 5}});
    auto first = entry("KPI2.2.1.1", "a.dst", "2023-12-01T10:00:00Z", 600'000);
    first.subject = R"({"experiment": "LHCb", "campaign": "2016MU"})";
    first.evidence = "{https://example.org/a}";
    first.cpu_seconds = 10;
    auto second = entry("KPI2.2.1.1", "b.dst", "2024-01-20T10:00:00Z", 400'000);
    second.subject = R"({"experiment": "LHCb", "campaign": "2017MD"})";
    // The talk is older than what its KPI counts.
    std::vector<LedgerRow> entries{
        first, second, entry("KPI2.2.1.3", "early talk", "2022-01-01T00:00:00Z")};
    for (const char* experiment : {"LHCb", "ATLAS", "CMS", "LHCb"}) {
      auto test = entry("KPI2.2.1.2", "test " + std::to_string(entries.size()),
                        "2023-11-05T00:00:00Z");
      const char* site = entries.size() < 5 ? "CNAF" : "CERN";
      test.subject = json{{"experiment", experiment}, {"site", site}}.dump();
      entries.push_back(test);
    }
    for (int nth = 0; nth < 8; ++nth) {
      entries.push_back(
          entry("KPI2.2.1.3", "talk " + std::to_string(nth), "2023-10-01T00:00:00Z"));
    }
    for (int nth = 0; nth < 4; ++nth) {
      entries.push_back(
          entry("KPI2.2.1.4", "use-case " + std::to_string(nth), "2024-02-01T00:00:00Z"));
    }
    record(entries);
  }

  static std::map<std::string, json> values_by(const json& kpi) {
    std::map<std::string, json> values;
    for (const json& part : kpi.at("by")) values[part.at("key")] = part.at("value");
    return values;
  }
};

TEST_F(KpiReportTest, IsTheProjectsOwnTable) {
  fill_february();
  const json document = report("until=2024-02-13");

  std::vector<std::vector<std::string>> rows;
  for (const json& kpi : document["kpis"]) {
    rows.push_back(
        {kpi["id"], kpi["threshold_text"], kpi["value_text"], kpi["completed_text"]});
  }
  EXPECT_THAT(
      rows,
      ElementsAre(
          ElementsAre("KPI2.2.1.1", "N_MC ≥ 1 (billion)", "1 M events", "0.1 %"),
          ElementsAre("KPI2.2.1.2", "N_EXP ≥ 2", "3 experiments", "150 %"),
          ElementsAre("KPI2.2.1.3", "N_CONF ≥ 3", "8 (since September 2023)", "267 %"),
          ElementsAre("KPI2.2.1.4", "N_UC ≥ 5", "4 use-cases", "80 %")));
  EXPECT_EQ(document["at"], "2024-02-13T00:00:00Z");
  EXPECT_EQ(document["chain"]["sequence"], 1);
  EXPECT_EQ(document["chain"]["entries"], 19);
  const json& events = document["kpis"][0];
  EXPECT_EQ(events["evidence"], json({"https://example.org/a"}));
  EXPECT_EQ(events["resources"], json({{"cpu_seconds", 10}}));
  EXPECT_EQ(
      events["series"].dump(),
      R"([{"date":"2023-12-01","value":600000},{"date":"2024-01-20","value":1000000}])");
  EXPECT_EQ(events["pace"]["behind"], true);
  EXPECT_EQ(document["kpis"][1]["series"],
            json::parse(R"([{"date": "2023-11-05", "value": 3}])"));
}

TEST_F(KpiReportTest, CutsByOccurrenceAndByDay) {
  fill_february();
  EXPECT_EQ(report("until=2024-01-19")["kpis"][0]["value"], 600000);
  EXPECT_EQ(report("until=2024-01-20T10:00:00Z")["kpis"][0]["value"], 1000000);
  EXPECT_EQ(report("until=2024-01-20T09:59:59Z")["kpis"][0]["value"], 600000);
}

// Goal: what was known at a time stays what it was, though events that happened before it
// come later, and corrections, and definitions.
TEST_F(KpiReportTest, AsKnownThenStaysTheSame) {
  fill_february();
  json then = report("until=2024-02-13&by=campaign");
  const std::string at = then["at"];

  server.clock().advance(days(30));
  auto late = entry("KPI2.2.1.1", "late.dst", "2024-01-25T00:00:00Z", 5'000'000);
  late.subject = R"({"campaign": "2016MU"})";
  auto correction = entry("KPI2.2.1.1", "fix", "2023-12-01T10:00:00Z", 0);
  correction.amount = -600'000;
  correction.weight = -1;
  correction.subject = R"({"experiment": "LHCb", "campaign": "2016MU"})";
  correction.corrects = "a.dst";
  record({late, correction});
  define("KPI2.2.1.1", {{"symbol", "N_MC"}, {"unit", "events"}, {"threshold", 77}});

  EXPECT_EQ(report("until=2024-02-13&by=campaign&at=" + at), then);
  const json now = report("until=2024-02-13&by=campaign");
  EXPECT_EQ(now["kpis"][0]["value"], 5400000);
  EXPECT_EQ(now["kpis"][0]["entries"], 2);
  EXPECT_EQ(now["kpis"][0]["threshold"], 77);
  EXPECT_EQ(now["kpis"][0]["revision"], 2);
  EXPECT_THAT(now["kpis"][0]["evidence"], IsEmpty());  // it went with the entry
}

TEST_F(KpiReportTest, TellsTheChangeSinceAReport) {
  fill_february();
  report();
  server.clock().advance(days(30));
  record({entry("KPI2.2.1.1", "c.dst", "2024-03-01T00:00:00Z", 250'000)});

  const json document = report("since_report=2024-02-13");
  EXPECT_EQ(document["previous"]["until"], "2024-02-13T23:59:59.999999Z");
  EXPECT_EQ(document["kpis"][0]["change"], 250000);
  EXPECT_EQ(document["kpis"][0]["change_text"], "+250 k events");
  EXPECT_EQ(document["kpis"][1]["change"], 0);
}

TEST_F(KpiReportTest, TellsPartsBySubjectKeys) {
  fill_february();
  const json by_campaign = report("by=campaign");
  EXPECT_THAT(values_by(by_campaign["kpis"][0]),
              ElementsAre(Pair("2016MU", 600000), Pair("2017MD", 400000)));
  EXPECT_EQ(by_campaign["kpis"][0]["by"][0]["share_percent"], 60);
  EXPECT_THAT(values_by(by_campaign["kpis"][2]), ElementsAre(Pair("", 8)));

  EXPECT_THAT(values_by(report("by=experiment")["kpis"][1]),
              ElementsAre(Pair("ATLAS", 1), Pair("CMS", 1), Pair("LHCb", 1)));
  // Of distinct experiments, by another key: LHCb was tested at both sites.
  EXPECT_THAT(values_by(report("by=site")["kpis"][1]),
              ElementsAre(Pair("CERN", 2), Pair("CNAF", 2)));
}

TEST_F(KpiReportTest, TellsPartsByMonth) {
  fill_february();
  const json document = report("by=month");
  EXPECT_EQ(document["kpis"][0]["by"][0]["key"], "2023-12");
  EXPECT_THAT(values_by(document["kpis"][0]),
              ElementsAre(Pair("2023-12", 600000), Pair("2024-01", 400000)));
  EXPECT_THAT(values_by(document["kpis"][1]), ElementsAre(Pair("2023-11", 3)));
}

TEST_F(KpiReportTest, TellsPartsByModelAndHidesThoseOfOthers) {
  server.send("PUT", "/api/v1/namespaces/secret", "{}");
  define("K", {{"count", {{"distinct", "experiment"}}}});
  define("S");
  const auto version = publish("lhcb", "trk");
  const auto hidden = publish("secret", "gan");
  const auto made_with = [this](const std::string& kpi, std::int64_t version) {
    auto row = entry(kpi, kpi + std::to_string(version), "2024-02-01T00:00:00Z");
    row.subject = R"({"experiment": "LHCb"})";
    row.version_id = version;
    return row;
  };
  record({made_with("K", version), made_with("S", version), made_with("S", hidden),
          made_with("S", 0)});

  EXPECT_THAT(values_by(report("by=model")["kpis"][0]), ElementsAre(Pair("lhcb/trk:1", 1)));
  EXPECT_THAT(values_by(report("by=model")["kpis"][1]),
              ElementsAre(Pair("", 1), Pair("lhcb/trk:1", 1), Pair("secret/gan:1", 1)));
  const auto reader = token_of("reader", "reader");
  const auto seen = server.send("GET", "/api/v1/kpi-report?by=model", "", reader).json();
  EXPECT_THAT(values_by(seen["kpis"][1]),
              ElementsAre(Pair("", 1), Pair("(hidden)", 1), Pair("lhcb/trk:1", 1)));
}

TEST_F(KpiReportTest, ShowsEachCallerItsOwnKpis) {
  define("K1");
  define("K2", {{"namespaces", json::array()}});
  const auto ids = [&](const HeaderList& headers) {
    std::vector<std::string> ids;
    const auto answer = server.send("GET", "/api/v1/kpi-report", "", headers);
    const json document = answer.json();
    for (const json& kpi : document["kpis"]) ids.push_back(kpi["id"]);
    return ids;
  };
  EXPECT_THAT(ids({}), ElementsAre("K1", "K2"));
  EXPECT_THAT(ids(token_of("reader", "reader")), ElementsAre("K1"));
  EXPECT_THAT(ids(token_of("stranger", "")), IsEmpty());
  EXPECT_THAT(ids({{"Authorization", ""}}), IsEmpty());

  const auto stranger = token_of("stranger", "");
  EXPECT_EQ(server.send("GET", "/api/v1/kpi-report?kpi=K1", "", stranger).status, 404);
  EXPECT_EQ(report("kpi=k1")["kpis"].size(), 1U);
  EXPECT_EQ(report("kpi=K1,K2")["kpis"].size(), 2U);
  EXPECT_EQ(status_of("kpi=K3"), 404);
}

TEST_F(KpiReportTest, RefusesWhatItCannotAnswer) {
  define("K");
  EXPECT_EQ(status_of("at=2024-02-14"), 400);
  EXPECT_EQ(status_of("at=2024-02-13"), 200);  // today's end: now
  EXPECT_EQ(status_of("at=2024-02-13T12:00:00Z"), 400);
  EXPECT_EQ(status_of("until=2024-02-14"), 400);
  EXPECT_EQ(status_of("until=yesterday"), 400);
  EXPECT_EQ(status_of("by=9x"), 400);
  EXPECT_EQ(status_of("format=pdf"), 400);
  EXPECT_EQ(status_of("since_report=2024-02-13"), 400);
  EXPECT_EQ(status_of("kpi=%20"), 400);
}

TEST_F(KpiReportTest, ComesInEveryFormat) {
  fill_february();
  const auto get = [&](const std::string& query, const std::string& accept = "") {
    return server.send("GET", "/api/v1/kpi-report?" + query, "", {{"Accept", accept}});
  };
  const auto markdown = get("format=md");
  EXPECT_EQ(markdown.header("Content-Type"), "text/markdown; charset=utf-8");
  EXPECT_THAT(markdown.body, HasSubstr("| N_MC ≥ 1 (billion) | 1 M events | 0.1 % |"));
  const auto csv = get("", "text/csv");
  EXPECT_EQ(csv.header("Content-Type"), "text/csv; charset=utf-8");
  EXPECT_THAT(csv.body, StartsWith("kpi,revision,"));
  const auto page = get("", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8");
  EXPECT_EQ(page.header("Content-Type"), "text/html; charset=utf-8");
  EXPECT_THAT(page.header("Content-Security-Policy"), StartsWith("default-src 'none'"));
  EXPECT_THAT(page.body, AllOf(StartsWith("<!DOCTYPE html>"), HasSubstr("<svg")));
  EXPECT_EQ(get("", "*/*").header("Content-Type"), "application/json");
  EXPECT_EQ(get("format=json", "text/html").header("Content-Type"), "application/json");
}

TEST_F(KpiReportTest, IsNotSentAgainToWhoHasIt) {
  fill_february();
  server.clock().advance(hours(1));
  const auto answer = server.send("GET", "/api/v1/kpi-report?at=2024-02-13T00:30:00Z");
  const auto again = server.send("GET", "/api/v1/kpi-report?at=2024-02-13T00:30:00Z", "",
                                 {{"If-None-Match", answer.header("ETag")}});
  EXPECT_EQ(again.status, 304);
}

}  // namespace
}  // namespace mendel::registry::api
