#include "storage/chunker.h"

#include <algorithm>
#include <array>
#include <cstdint>

// A position may be cut if the gear hash of the 64 bytes before it, a 64-bit number, is
// below a limit. The hash is h = 2h + gear[byte]: after 64 steps a byte has been shifted
// out, so that it needs no subtraction and a cut depends on these 64 bytes alone. Its top
// bits depend on the most bytes, and "below a limit" looks at them.
//
// Normalised chunking, level 2: up to kLaxFrom, one position in 2^18 may be cut (two bits
// harder than the target), from there on one in 2^14 (two bits easier), which draws the
// sizes together. kLaxFrom lies below the target so that the mean comes out near it: on
// noise it is 63.5 KiB, and one chunk in 400 000 reaches kChunkSizeMax.
//
// Nothing is hashed before kChunkSizeMin but the 64 bytes that end there. What a position
// costs is one look-up, one shift-and-add and one branch that is never taken; skipping the
// comparison for every second byte, as FastCDC 2020 proposes, and two interleaved hashes
// were both slower than eight such steps in a row (chunker_bench).

namespace mendel::storage {

namespace {

constexpr std::size_t kHashedBytes = 64;
constexpr std::size_t kLaxFrom = 52 * 1024;
constexpr std::uint64_t kStrictLimit = std::uint64_t{1} << (64 - 18);
constexpr std::uint64_t kLaxLimit = std::uint64_t{1} << (64 - 14);
static_assert(kHashedBytes <= kChunkSizeMin && kChunkSizeMin < kLaxFrom);

// The first 256 numbers of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014) from the seed
// "Mendel" in ASCII.
constexpr std::array<std::uint64_t, 256> kGear = [] {
  std::array<std::uint64_t, 256> gear{};
  std::uint64_t state = 0x4d656e64656c;
  for (std::uint64_t& number : gear) {
    state += 0x9e3779b97f4a7c15;
    number = (state ^ state >> 30) * 0xbf58476d1ce4e5b9;
    number = (number ^ number >> 27) * 0x94d049bb133111eb;
    number ^= number >> 31;
  }
  return gear;
}();

std::uint64_t roll(std::uint64_t hash, std::byte b) {
  return (hash << 1) + kGear[std::to_integer<std::size_t>(b)];
}

// Returns the first position from `from` on whose hash is below limit, or `to`.
std::size_t find_cut(const std::byte* data, std::size_t from, std::size_t to,
                     std::uint64_t limit) {
  std::uint64_t hash = 0;
  for (std::size_t i = from - kHashedBytes; i < from; ++i) hash = roll(hash, data[i]);
  if (hash < limit) return from;

  std::size_t position = from;
  const auto step_cuts = [&] {
    hash = roll(hash, data[position++]);
    return hash < limit;
  };
  while (to - position >= 8) {
    if (step_cuts() || step_cuts() || step_cuts() || step_cuts() ||  //
        step_cuts() || step_cuts() || step_cuts() || step_cuts()) {
      return position;
    }
  }
  while (position < to) {
    if (step_cuts()) return position;
  }
  return to;
}

}  // namespace

std::size_t first_chunk_size(std::span<const std::byte> data) {
  if (data.size() <= kChunkSizeMin) return data.size();
  const std::size_t end = std::min(data.size(), kChunkSizeMax);
  const std::size_t strict_end = std::min(end, kLaxFrom);
  const std::size_t cut = find_cut(data.data(), kChunkSizeMin, strict_end, kStrictLimit);
  if (cut < strict_end || cut == end) return cut;
  return find_cut(data.data(), kLaxFrom, end, kLaxLimit);
}

}  // namespace mendel::storage
