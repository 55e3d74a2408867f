// Goal: no stream, however hostile, makes the parser of packs do anything but throw an
// Error.
//
//   cmake -G Ninja -B build/fuzz -D CMAKE_CXX_COMPILER=clang++-14 -D MENDEL_FUZZ=ON
//     -D MENDEL_SANITIZE=address,undefined,fuzzer-no-link
//   ninja -C build/fuzz pack_fuzz
//   mkdir build/fuzz/found
//   build/fuzz/bin/pack_fuzz build/fuzz/found tests/fuzz/corpus/pack

#include <cstdint>

#include "tests/fuzz/hostile_pack.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  mendel::testing::parse_hostile_pack(std::as_bytes(std::span(data, size)));
  return 0;
}
