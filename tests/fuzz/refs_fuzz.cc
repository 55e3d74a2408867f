// Goal: no answer of git, however hostile, makes its parser do anything but throw an Error.
// How to run it: see pack_fuzz.cc.

#include <cstdint>

#include "tests/fuzz/hostile_egress.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  mendel::testing::parse_hostile_refs(std::as_bytes(std::span(data, size)));
  return 0;
}
