#include "registry/api/kpi_report_csv.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/registry/kpi_report_fixture.h"

namespace mendel::registry::api {
namespace {

using mendel::testing::report_of_february;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(KpiReportCsv, HasARowPerKpiAndPart) {
  auto report = report_of_february();
  report.kpis.resize(1);
  report.kpis[0].pace.reset();
  report.kpis[0].definition.description = "short";

  const std::string definition =
      "KPI2.2.1.1,1,Events from ML simulation,short,1000000000,at-least,"
      "N_MC ≥ 1 (billion),events,";
  const std::string times = ",2024-02-13T23:59:59.999999Z,2024-02-13T12:00:00Z,";
  EXPECT_EQ(csv_of(report),
            "kpi,revision,title,description,threshold,direction,threshold_text,unit,by,key,"
            "value,value_text,completed_percent,completed_text,reached,change,"
            "needed_per_month,entries,until,at,evidence\r\n" +
                definition + ",,1000000,1 M events,0.1,0.1 %,false,550000,,1000" + times +
                "https://lbfence.example.org/productions/00012 root://eos//f.root\r\n" +
                definition + "campaign,2016MU,750000,750 k events,,,,,,750" + times +
                "\r\n" + definition + "campaign,(none),250000,250 k events,,,,,,250" +
                times + "\r\n");
}

TEST(KpiReportCsv, QuotesTextsAndDefusesFormulas) {
  auto report = report_of_february();
  report.kpis[0].definition.title = "=HYPERLINK(\"x\",1)";
  EXPECT_THAT(csv_of(report), HasSubstr(",\"'=HYPERLINK(\"\"x\"\",1)\","));
}

}  // namespace
}  // namespace mendel::registry::api
