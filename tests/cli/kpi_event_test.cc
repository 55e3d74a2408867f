#include "cli/kpi_event.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "storage/base/error.h"

namespace mendel::cli {
namespace {

KpiEventOptions whole_event() {
  return {.kpi = "KPI2.2.1.1",
          .event_id = "LHCb-2016MU/00012.dst",
          .value = "1000",
          .occurred_at = "2024-02-01T12:00:00Z",
          .model = "lhcb/lamarr-trk:17",
          .ns = "",
          .subject = {"experiment=LHCb", "decay=B+ -> K+ pi-=x"},
          .evidence = {"https://lhcb.example.org/prod/00012"},
          .resources = {"cpu_seconds=12.5"}};
}

ErrorCode code_of(const std::function<void(KpiEventOptions&)>& spoil) {
  KpiEventOptions options = whole_event();
  spoil(options);
  try {
    kpi_event(options);
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::internal;
}

TEST(KpiEvent, IsWhatTheServerTakes) {
  EXPECT_EQ(kpi_event(whole_event()),
            (Json{{"kpi", "KPI2.2.1.1"},
                  {"event_id", "LHCb-2016MU/00012.dst"},
                  {"value", 1000},
                  {"occurred_at", "2024-02-01T12:00:00Z"},
                  {"model", "lhcb/lamarr-trk:17"},
                  {"subject", {{"experiment", "LHCb"}, {"decay", "B+ -> K+ pi-=x"}}},
                  {"evidence", {"https://lhcb.example.org/prod/00012"}},
                  {"resources", {{"cpu_seconds", 12.5}}}}));
}

TEST(KpiEvent, LeavesOutWhatIsNotSaid) {
  const Json event = kpi_event({.kpi = "K",
                                .event_id = "e",
                                .value = "",
                                .occurred_at = "2024-02-01T12:00:00+01:00",
                                .model = "",
                                .ns = "lhcb",
                                .subject = {},
                                .evidence = {},
                                .resources = {}});
  EXPECT_EQ(event, (Json{{"kpi", "K"},
                         {"event_id", "e"},
                         {"occurred_at", "2024-02-01T12:00:00+01:00"},
                         {"namespace", "lhcb"}}));
}

TEST(KpiEvent, IsRefusedWhereItCouldNeverCount) {
  const auto refused = ErrorCode::invalid_argument;
  EXPECT_EQ(code_of([](auto& e) { e.kpi = "a b"; }), refused);
  EXPECT_EQ(code_of([](auto& e) { e.value = "many"; }), refused);
  EXPECT_EQ(code_of([](auto& e) { e.value = "NaN"; }), refused);
  EXPECT_EQ(code_of([](auto& e) { e.occurred_at = "2024-02-01"; }), refused);
  EXPECT_EQ(code_of([](auto& e) { e.occurred_at = "Tuesday"; }), refused);
  EXPECT_EQ(code_of([](auto& e) { e.model = "lhcb/lamarr-trk@production"; }), refused);
  EXPECT_EQ(code_of([](auto& e) { e.model = "lhcb/lamarr-trk"; }), refused);
  EXPECT_EQ(code_of([](auto& e) { e.subject = {"experiment"}; }), refused);
  EXPECT_EQ(code_of([](auto& e) { e.resources = {"cpu_seconds=much"}; }), refused);
}

KpiCorrectionOptions correction() {
  return {.kpi = "K",
          .corrects = "e",
          .ns = "lhcb",
          .value = "900",
          .reason = "100 failed",
          .own_id = "",
          .evidence = {}};
}

TEST(KpiCorrection, HasAnIdThatFollowsFromWhatItSays) {
  const std::string id = kpi_correction(correction())["event_id"];
  EXPECT_TRUE(id.starts_with("correction-")) << id;
  EXPECT_EQ(kpi_correction(correction())["event_id"], id);

  for (const auto& change : std::vector<std::function<void(KpiCorrectionOptions&)>>{
           [](auto& c) { c.kpi = "L"; }, [](auto& c) { c.corrects = "f"; },
           [](auto& c) { c.ns = "atlas"; }, [](auto& c) { c.value = "901"; },
           [](auto& c) { c.reason = "99 failed"; },
           [](auto& c) { c.evidence = {"https://example.org"}; }}) {
    KpiCorrectionOptions other = correction();
    change(other);
    EXPECT_NE(kpi_correction(other)["event_id"], id);
  }
}

TEST(KpiCorrection, MayHaveAnIdOfItsOwn) {
  KpiCorrectionOptions named = correction();
  named.own_id = "fix-1";
  EXPECT_EQ(kpi_correction(named), (Json{{"kpi", "K"},
                                         {"namespace", "lhcb"},
                                         {"corrects", "e"},
                                         {"value", 900},
                                         {"reason", "100 failed"},
                                         {"event_id", "fix-1"}}));
}

}  // namespace
}  // namespace mendel::cli
