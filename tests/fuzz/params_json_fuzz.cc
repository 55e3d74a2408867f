// Goal: no bytes, however hostile, make the reader of hyperparameters in JSON do anything
// but throw an Error that says so, and what it accepts can be published. How to run it: see
// pack_fuzz.cc.

#include <cstdint>

#include "tests/fuzz/hostile_list.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  mendel::testing::read_hostile_json(std::as_bytes(std::span(data, size)));
  return 0;
}
