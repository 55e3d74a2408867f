#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace mendel::testing {

// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): the same numbers on every platform,
// which the standard library's distributions do not promise.
class SeededRandom {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
  }

  // Below bound, which is not 0.
  std::size_t below(std::size_t bound) { return next() % bound; }

 private:
  std::uint64_t state_;
};

// Bytes that no codec makes smaller, the first ones lowest first on every platform.
inline std::vector<std::byte> random_bytes(std::size_t size_bytes, std::uint64_t seed) {
  SeededRandom random(seed);
  std::vector<std::byte> bytes(size_bytes);
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < size_bytes; ++i) {
    word = i % 8 == 0 ? random.next() : word >> 8;
    bytes[i] = static_cast<std::byte>(word);
  }
  return bytes;
}

}  // namespace mendel::testing
