// Goal: no pipeline's document, however hostile, makes its reader do anything but throw an
// Error, and what it accepts can be read back. How to run it: see pack_fuzz.cc.

#include <cstdint>

#include "tests/fuzz/hostile_glob.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  mendel::testing::read_hostile_pipeline(std::as_bytes(std::span(data, size)));
  return 0;
}
