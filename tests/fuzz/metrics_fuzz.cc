// Goal: no bytes, however hostile, make the reader of metrics do anything but throw an
// Error that blames them, and lines mean the same however they are cut into pieces. How to
// run it: see pack_fuzz.cc.

#include <cstdint>

#include "tests/fuzz/hostile_request.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  mendel::testing::read_hostile_metrics(std::as_bytes(std::span(data, size)));
  return 0;
}
