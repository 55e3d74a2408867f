#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "registry/services/ledger/entry.h"
#include "storage/canonical_json.h"

namespace mendel::registry {
namespace {

LedgerEntry whole_event() {
  return {.kpi = "KPI2.2.1.1",
          .ns = "lhcb",
          .event_id = "a \"b\"\\c\u00e9",
          .value = Amount::of(0.5),
          .evidence = {"https://example.org/1", "root://eos.example.org//x"},
          .occurred_at = parse_rfc3339("2024-02-12T10:00:00.5Z"),
          .model = "lhcb/lamarr:17",
          .subject = {{"Zone", "1"}, {"site", "CNAF"}},
          .cpu_seconds = Amount::of(12.5),
          .gpu_seconds = Amount::of(1e-9),
          .energy_kwh = Amount::of(1e15),
          .corrects = "",
          .reason = ""};
}

TEST(LedgerEntryForm, IsCanonicalJson) {
  const std::string text = whole_event().canonical();
  EXPECT_EQ(storage::canonical_json(nlohmann::json::parse(text)), text);
  EXPECT_EQ(text,
            R"({"event_id":"a \"b\"\\cé","evidence":["https://example.org/1",)"
            R"("root://eos.example.org//x"],"kpi":"KPI2.2.1.1","model":"lhcb/lamarr:17",)"
            R"("namespace":"lhcb","occurred_at":"2024-02-12T10:00:00.500000Z","resources":)"
            R"({"cpu_seconds":12.5,"energy_kwh":1000000000000000,"gpu_seconds":1e-9},)"
            R"("subject":{"Zone":"1","site":"CNAF"},"value":0.5})");
}

TEST(LedgerEntryForm, LeavesOutWhatIsAbsent) {
  const LedgerEntry entry{.kpi = "k",
                          .ns = "lhcb",
                          .event_id = "fix",
                          .value = Amount(),
                          .evidence = {},
                          .occurred_at = std::nullopt,
                          .model = "",
                          .subject = {},
                          .cpu_seconds = std::nullopt,
                          .gpu_seconds = std::nullopt,
                          .energy_kwh = std::nullopt,
                          .corrects = "a",
                          .reason = "why"};
  EXPECT_EQ(entry.canonical(),
            R"({"corrects":"a","event_id":"fix","kpi":"k","namespace":"lhcb",)"
            R"("reason":"why","value":0})");
  EXPECT_EQ(entry.hash(), Digest::of(entry.canonical()));
}

}  // namespace
}  // namespace mendel::registry
