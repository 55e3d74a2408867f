// Goal: no text, however hostile, makes the reader of KPI events do anything but say what
// is wrong with a row, and what it takes has one canonical form. How to run it: see
// pack_fuzz.cc.

#include <cstdint>
#include <span>

#include "tests/fuzz/hostile_kpi_events.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  mendel::testing::read_hostile_kpi_events(std::as_bytes(std::span(data, size)));
  return 0;
}
