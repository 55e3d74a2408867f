// Goal: no bytes, however hostile, make the reader of sealed reports do anything but throw
// an Error that says what is wrong with them. How to run it: see pack_fuzz.cc.

#include <cstddef>
#include <cstdint>
#include <span>

#include "tests/fuzz/hostile_report.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  mendel::testing::parse_hostile_report(std::as_bytes(std::span(data, size)));
  return 0;
}
