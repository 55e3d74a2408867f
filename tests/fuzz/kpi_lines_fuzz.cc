// Goal: no bytes, however hostile, make the reader of files of events lose a whole line, or
// take two for one. How to run it: see pack_fuzz.cc.

#include <cstdint>

#include "tests/fuzz/hostile_kpi_lines.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  mendel::testing::read_hostile_kpi_lines(std::as_bytes(std::span(data, size)));
  return 0;
}
