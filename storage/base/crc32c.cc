#include "storage/base/crc32c.h"

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

// Portable: eight tables, eight bytes a step (Kounavis and Berry, "A Systematic Approach to
// Building High Performance Software-based CRC Generators", ISCC 2005).
//
// SSE4.2: the crc32 instruction takes three cycles but starts one every cycle, so three
// stretches of the data are worked on at once. Their registers are joined by moving one
// past the zero bits that the next stretch stands for, which is linear: four table
// look-ups.

namespace mendel {

namespace {

constexpr std::uint32_t kPolynomial = 0x82f63b78;  // 0x1edc6f41, bits reversed

using Table = std::array<std::uint32_t, 256>;

constexpr std::array<Table, 8> kSlices = [] {
  std::array<Table, 8> slices{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (crc & 1 ? kPolynomial : 0);
    slices[0][byte] = crc;
  }
  for (std::size_t slice = 1; slice < 8; ++slice) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint32_t crc = slices[slice - 1][byte];
      slices[slice][byte] = (crc >> 8) ^ slices[0][crc & 255];
    }
  }
  return slices;
}();

std::uint32_t update_bytewise(std::uint32_t crc, std::span<const std::byte> data) {
  for (const std::byte b : data) {
    crc = (crc >> 8) ^ kSlices[0][(crc ^ std::to_integer<std::uint32_t>(b)) & 255];
  }
  return crc;
}

std::uint32_t load_u32(const std::byte* at) {
  return std::to_integer<std::uint32_t>(at[0]) |
         std::to_integer<std::uint32_t>(at[1]) << 8 |
         std::to_integer<std::uint32_t>(at[2]) << 16 |
         std::to_integer<std::uint32_t>(at[3]) << 24;
}

#if defined(__x86_64__)

constexpr std::size_t kStretchBytes = 2048;

// Moves a register past kStretchBytes zero bytes, a table per byte of the register.
constexpr std::array<Table, 4> kPastStretch = [] {
  std::array<std::uint32_t, 32> moved_bits{};
  for (std::size_t bit = 0; bit < 32; ++bit) {
    std::uint32_t crc = 1u << bit;
    for (std::size_t i = 0; i < kStretchBytes; ++i) {
      crc = (crc >> 8) ^ kSlices[0][crc & 255];
    }
    moved_bits[bit] = crc;
  }
  std::array<Table, 4> tables{};
  for (std::size_t part = 0; part < 4; ++part) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      for (std::size_t bit = 0; bit < 8; ++bit) {
        if (byte >> bit & 1) tables[part][byte] ^= moved_bits[8 * part + bit];
      }
    }
  }
  return tables;
}();

std::uint32_t move_past_stretch(std::uint64_t crc) {
  return kPastStretch[0][crc & 255] ^ kPastStretch[1][crc >> 8 & 255] ^
         kPastStretch[2][crc >> 16 & 255] ^ kPastStretch[3][crc >> 24 & 255];
}

std::uint64_t load_word(const std::byte* at) {
  std::uint64_t word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

__attribute__((target("sse4.2"))) std::uint32_t crc32c_sse42(
    std::uint32_t before, std::span<const std::byte> data) {
  std::uint64_t crc = static_cast<std::uint32_t>(~before);
  for (; data.size() >= 3 * kStretchBytes; data = data.subspan(3 * kStretchBytes)) {
    std::uint64_t second = 0;
    std::uint64_t third = 0;
    const std::byte* at = data.data();
    for (const std::byte* const end = at + kStretchBytes; at != end; at += 8) {
      crc = _mm_crc32_u64(crc, load_word(at));
      second = _mm_crc32_u64(second, load_word(at + kStretchBytes));
      third = _mm_crc32_u64(third, load_word(at + 2 * kStretchBytes));
    }
    crc = move_past_stretch(move_past_stretch(crc) ^ second) ^ third;
  }
  for (; data.size() >= 8; data = data.subspan(8)) {
    crc = _mm_crc32_u64(crc, load_word(data.data()));
  }
  auto short_crc = static_cast<std::uint32_t>(crc);
  for (const std::byte b : data) {
    short_crc = _mm_crc32_u8(short_crc, std::to_integer<unsigned char>(b));
  }
  return ~short_crc;
}

#endif

std::uint32_t crc32c_by_tables(std::uint32_t before, std::span<const std::byte> data) {
  std::uint32_t crc = ~before;
  for (; data.size() >= 8; data = data.subspan(8)) {
    const std::uint32_t low = crc ^ load_u32(data.data());
    const std::uint32_t high = load_u32(data.data() + 4);
    crc = kSlices[7][low & 255] ^ kSlices[6][low >> 8 & 255] ^ kSlices[5][low >> 16 & 255] ^
          kSlices[4][low >> 24] ^ kSlices[3][high & 255] ^ kSlices[2][high >> 8 & 255] ^
          kSlices[1][high >> 16 & 255] ^ kSlices[0][high >> 24];
  }
  return ~update_bytewise(crc, data);
}

}  // namespace

std::uint32_t crc32c_portable(std::span<const std::byte> data) {
  return crc32c_by_tables(0, data);
}

std::uint32_t crc32c(std::span<const std::byte> data) { return crc32c_after(0, data); }

std::uint32_t crc32c_after(std::uint32_t before, std::span<const std::byte> data) {
#if defined(__x86_64__)
  static const bool has_instruction = __builtin_cpu_supports("sse4.2");
  if (has_instruction) return crc32c_sse42(before, data);
#endif
  return crc32c_by_tables(before, data);
}

}  // namespace mendel
