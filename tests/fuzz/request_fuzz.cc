// Goal: no bytes, however hostile, make the reader of HTTP requests break a promise.
// How to run it: see pack_fuzz.cc.

#include <cstdint>

#include "tests/fuzz/hostile_request.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  mendel::testing::read_hostile_request(std::as_bytes(std::span(data, size)));
  return 0;
}
