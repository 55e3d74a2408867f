// Goal: no pattern, however hostile, makes the matcher of paths do anything but match or
// throw an Error. How to run it: see pack_fuzz.cc.

#include <cstdint>

#include "tests/fuzz/hostile_glob.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  mendel::testing::match_hostile_glob(std::as_bytes(std::span(data, size)));
  return 0;
}
