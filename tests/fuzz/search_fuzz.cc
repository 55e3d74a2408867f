// Goal: no text, however hostile, makes the parser of searches do anything but throw an
// Error. How to run it: see pack_fuzz.cc.

#include <cstdint>

#include "tests/fuzz/hostile_search.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  mendel::testing::parse_hostile_search(std::as_bytes(std::span(data, size)));
  return 0;
}
