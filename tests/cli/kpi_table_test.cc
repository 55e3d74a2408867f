#include "cli/kpi_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace mendel::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(KpiTable, HasTheColumnsThatThereIsSomethingFor) {
  const Json first = {{"id", "K1"},
                      {"title", "one"},
                      {"description", "the first"},
                      {"threshold_text", "N ≥ 1 (billion)"},
                      {"value_text", "1 M events"},
                      {"completed_text", "0.1 %"},
                      {"entries", 5}};
  Json second = first;
  second["id"] = "K2";
  second["description"] = "";
  EXPECT_THAT(
      kpi_cells({{"kpis", {first, second}}}).headings,
      ElementsAre("KPI ID", "description", "threshold", "value", "completed", "entries"));

  second["pace_text"] = "reached";
  const KpiCells cells = kpi_cells({{"kpis", {first, second}}});
  EXPECT_THAT(cells.headings, ElementsAre("KPI ID", "description", "threshold", "value",
                                          "completed", "needed pace", "entries"));
  EXPECT_THAT(cells.rows, ElementsAre(ElementsAre("K1", "the first", "N ≥ 1 (billion)",
                                                  "1 M events", "0.1 %", "", "5"),
                                      ElementsAre("K2", "one", "N ≥ 1 (billion)",
                                                  "1 M events", "0.1 %", "reached", "5")));
}

TEST(KpiTable, OfNoKpisHasNoRows) {
  EXPECT_THAT(kpi_cells({{"kpis", Json::array()}}).rows, IsEmpty());
}

TEST(WrappedText, BreaksAtSpaces) {
  EXPECT_THAT(wrapped("one two three", 7), ElementsAre("one two", "three"));
  EXPECT_THAT(wrapped("one two three", 8), ElementsAre("one two", "three"));
  EXPECT_THAT(wrapped("one two three", 13), ElementsAre("one two three"));
  EXPECT_THAT(wrapped("", 7), IsEmpty());
}

TEST(WrappedText, CutsWhatHasNoSpaces) {
  EXPECT_THAT(wrapped("abcdefghij", 4), ElementsAre("abcd", "efgh", "ij"));
}

TEST(WrappedText, CountsCharactersAndNotBytes) {
  EXPECT_THAT(wrapped("größe größe", 5), ElementsAre("größe", "größe"));
  EXPECT_THAT(wrapped("äöüßäöüß", 4), ElementsAre("äöüß", "äöüß"));
}

}  // namespace
}  // namespace mendel::cli
