#include "registry/api/kpi_report_markdown.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/registry/kpi_report_fixture.h"

namespace mendel::registry::api {
namespace {

using mendel::testing::report_of_february;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(KpiReportMarkdown, HasTheTableOfTheReport) {
  auto report = report_of_february();
  report.previous.reset();
  report.kpis[0].change.reset();
  report.kpis[0].pace.reset();

  EXPECT_THAT(
      markdown_of(report),
      HasSubstr(
          "| KPI ID | description | threshold | value | completed | entries |\n"
          "| --- | --- | --- | --- | --- | --- |\n"
          "| KPI2.2.1.1 | N_MC billion events obtained from ML-based simulation, as "
          "demonstrated by official links in experiments' simulation databases | "
          "N_MC ≥ 1 (billion) | 1 M events | 0.1 % | 1000 |\n"
          "| KPI2.2.1.2 | N_EXP experiments have tested a machine-learning based "
          "simulation "
          "| N_EXP ≥ 2 | 3 experiments | 150 % | 3 |\n"
          "| KPI2.2.1.3 | machine-learning use-cases tested in the context of the centre "
          "were presented at N_CONF international and national events | N_CONF ≥ 3 | 8 "
          "(since September 2023) | 267 % | 8 |\n"
          "| KPI2.2.1.4 | N_UC different use-cases were tested and made available in git "
          "repositories | N_UC ≥ 5 | 4 use-cases | 80 % | 4 |\n"));
}

TEST(KpiReportMarkdown, HasPartsAndEvidence) {
  const std::string text = markdown_of(report_of_february());

  EXPECT_THAT(text,
              HasSubstr("| campaign | value (events) | entries |\n| --- | --- | --- |\n"
                        "| 2016MU | 750 k | 750 |\n| (none) | 250 k | 250 |\n"));
  EXPECT_THAT(text, HasSubstr("- <https://lbfence.example.org/productions/00012>\n"));
}

TEST(KpiReportMarkdown, LetsNoTextBecomeMarkup) {
  auto report = report_of_february();
  report.kpis[0].definition.description = "a|b <script> [x](javascript:1)\n| c |";
  report.kpis[0].evidence = {"https://example.org/> <b>"};

  const std::string text = markdown_of(report);
  EXPECT_THAT(text, HasSubstr("a\\|b &lt;script> \\[x\\](javascript:1) \\| c \\|"));
  EXPECT_THAT(text, Not(HasSubstr("<b>")));
}

}  // namespace
}  // namespace mendel::registry::api
