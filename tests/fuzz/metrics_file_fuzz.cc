// Goal: no bytes, however hostile, make this reader do anything but throw an Error that
// says so. How to run it: see pack_fuzz.cc.

#include <cstdint>

#include "tests/fuzz/hostile_job_files.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  mendel::testing::read_hostile_metrics_file(std::as_bytes(std::span(data, size)));
  return 0;
}
