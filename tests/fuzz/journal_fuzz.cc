// Goal: no bytes, however hostile, make the reader of journals lose what is whole, or take
// for a record what is none. How to run it: see pack_fuzz.cc.

#include <cstdint>

#include "tests/fuzz/hostile_journal.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  mendel::testing::read_hostile_journal(std::as_bytes(std::span(data, size)));
  return 0;
}
