#include "cli/kpi_documents.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "cli/pipeline_documents.h"
#include "storage/base/error.h"

namespace mendel::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::string refusal_of(const std::string& text) {
  try {
    parse_kpi_documents(text, "kpis.yml");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
    return error.what();
  }
  return "(none)";
}

TEST(KpiDocuments, AreAListOrOnePerDocument) {
  const auto listed = parse_kpi_documents(
      "kpis:\n"
      "  - {id: KPI1, title: one, threshold: 1e9, since: 2023-09-01}\n"
      "  - {id: KPI2, title: two, count: {distinct: experiment}}\n",
      "kpis.yml");
  ASSERT_THAT(listed, SizeIs(2));
  EXPECT_EQ(listed[0].id, "KPI1");
  EXPECT_EQ(listed[0].path(), "/api/v1/kpis/KPI1");
  EXPECT_EQ(listed[0].body,
            (Json{{"title", "one"}, {"threshold", 1e9}, {"since", "2023-09-01"}}));
  EXPECT_EQ(listed[1].body["count"]["distinct"], "experiment");
  EXPECT_EQ(listed[1].place, "kpis.yml, KPI 2");

  const auto parted =
      parse_kpi_documents("id: A\ntitle: a\n---\nid: B\ntitle: b\n", "kpis.yml");
  ASSERT_THAT(parted, SizeIs(2));
  EXPECT_EQ(parted[1].id, "B");
  EXPECT_EQ(parted[1].place, "kpis.yml, document 2");
}

TEST(KpiDocuments, SayWhatIsWrongAndWhere) {
  EXPECT_THAT(refusal_of("title: no id"), HasSubstr("kpis.yml: needs \"id\""));
  EXPECT_THAT(refusal_of("id: [a]"), HasSubstr("needs \"id\", a text"));
  EXPECT_THAT(refusal_of("id: 'a b'"), HasSubstr("kpis.yml: "));
  EXPECT_THAT(refusal_of("- id: A"), HasSubstr("no mapping"));
  EXPECT_THAT(refusal_of("kpis: {id: A}"), HasSubstr("no list"));
  EXPECT_THAT(refusal_of("kpis: [A]"), HasSubstr("kpis.yml, KPI 1: is no mapping"));
  EXPECT_THAT(refusal_of("kpis: []\nid: A"), HasSubstr("more than \"kpis\""));
  EXPECT_THAT(refusal_of("kpis: [{id: Kpi1}, {id: KPI1}]"), HasSubstr("KPI1 occurs twice"));
  EXPECT_THAT(refusal_of("id: [\n"), HasSubstr("kpis.yml: "));
}

TEST(KpiDocuments, AreComparedByWhatTheyMean) {
  const Json told = {{"id", "KPI1"},
                     {"revision", 3},
                     {"defined_at", "2024-02-13T00:00:00Z"},
                     {"defined_by", "admin"},
                     {"revisions", Json::array()},
                     {"title", "one"},
                     {"count", "sum"},
                     {"direction", "at-least"},
                     {"threshold", 1000000000},
                     {"display", {{"unit", "billions"}, {"scale", 1000000000}}}};
  const Json written = {{"title", "one"},
                        {"threshold", 1e9},
                        {"display", {{"unit", "billions"}, {"scale", 1e9}}}};
  EXPECT_THAT(changes_between(definition_in(told), definition_in(written)), IsEmpty());

  Json other = written;
  other["threshold"] = 2e9;
  other["direction"] = "at-most";
  const auto changes = changes_between(definition_in(told), definition_in(other));
  ASSERT_THAT(changes, SizeIs(2));
  EXPECT_EQ(changes[0].pointer, "/direction");
  EXPECT_EQ(changes[1].pointer, "/threshold");
}

}  // namespace
}  // namespace mendel::cli
