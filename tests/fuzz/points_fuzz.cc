// Goal: no bytes, however hostile, make the decoder of packed metrics do anything but throw
// an Error, and what it accepts is what its encoder writes. How to run it: see
// pack_fuzz.cc.

#include <cstdint>

#include "tests/fuzz/hostile_document.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  mendel::testing::decode_hostile_points(std::as_bytes(std::span(data, size)));
  return 0;
}
