// Goal: no text, however hostile, makes the reader of schedules do anything but throw an
// Error that says what is wrong with it. How to run it: see pack_fuzz.cc.

#include <cstdint>

#include "tests/fuzz/hostile_trigger.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  mendel::testing::parse_hostile_schedule(std::as_bytes(std::span(data, size)));
  return 0;
}
