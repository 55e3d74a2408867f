#include "registry/api/kpi_report_json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "registry/services/ledger/amount.h"
#include "storage/base/digest.h"
#include "tests/registry/kpi_report_fixture.h"

namespace mendel::registry::api {
namespace {

using mendel::testing::report_of_february;
using nlohmann::json;

TEST(KpiReportJson, HasEverythingOfAKpi) {
  const json document = to_json(report_of_february());

  EXPECT_EQ(document["at"], "2024-02-13T12:00:00Z");
  EXPECT_EQ(document["until"], "2024-02-13T23:59:59.999999Z");
  EXPECT_EQ(document["by"], "campaign");
  EXPECT_EQ(document["chain"], (json{{"sequence", 17},
                                     {"entries", 1015},
                                     {"hash", Digest::of("the chain").to_string()}}));
  const json& kpi = document["kpis"][0];
  EXPECT_EQ(kpi["display"], (json{{"unit", "billion events"}, {"scale", 1'000'000'000}}));
  EXPECT_EQ(kpi["value"].dump(), "1000000");
  EXPECT_EQ(kpi["display_value"], 0.001);
  EXPECT_EQ(kpi["value_text"], "1 M events");
  EXPECT_EQ(kpi["threshold_text"], "N_MC ≥ 1 (billion)");
  EXPECT_EQ(kpi["completed_percent"], 0.1);
  EXPECT_EQ(kpi["completed_text"], "0.1 %");
  EXPECT_EQ(kpi["reached"], false);
  EXPECT_EQ(kpi["change"], 550000);
  EXPECT_EQ(kpi["deadline"], "2025-12-31");
  EXPECT_EQ(kpi["pace"]["behind"], true);
  EXPECT_EQ(kpi["resources"], (json{{"cpu_seconds", 12500.5}}));
  EXPECT_EQ(kpi["by"][0], (json{{"key", "2016MU"},
                                {"value", 750000},
                                {"display_value", 0.00075},
                                {"entries", 750},
                                {"share_percent", 75}}));
  EXPECT_EQ(kpi["series"].back(), (json{{"date", "2024-01-15"}, {"value", 1000000}}));
  EXPECT_EQ(document["kpis"][2]["since"], "2023-09-01");
  EXPECT_EQ(document["kpis"][2]["completed_percent"], 266.7);
}

TEST(KpiReportJson, LeavesOutWhatThereIsNot) {
  auto report = report_of_february();
  report.by.clear();
  report.previous.reset();
  const json document = to_json(report);

  EXPECT_FALSE(document.contains("by"));
  EXPECT_FALSE(document.contains("previous"));
  for (const char* member : {"change", "pace", "since", "deadline", "by"}) {
    EXPECT_FALSE(document["kpis"][1].contains(member)) << member;
  }
}

TEST(KpiReportJson, WritesWholeNumbersAsIntegers) {
  EXPECT_EQ(number_json(Amount::parse("3")).dump(), "3");
  EXPECT_EQ(number_json(Amount::parse("3.5")).dump(), "3.5");
  EXPECT_EQ(number_json(Amount::parse("-9007199254740991")).dump(), "-9007199254740991");
  EXPECT_TRUE(number_json(Amount::parse("900719925474099200")).is_number_float());
}

}  // namespace
}  // namespace mendel::registry::api
