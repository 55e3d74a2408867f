// Goal: no body, however hostile, makes the decoders of gzip and zstd do anything but throw
// an Error. How to run it: see pack_fuzz.cc.

#include <cstdint>
#include <span>

#include "tests/fuzz/hostile_kpi_events.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  mendel::testing::decode_hostile_content(std::as_bytes(std::span(data, size)));
  return 0;
}
