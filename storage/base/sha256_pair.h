#pragma once

#include <cstddef>
#include <cstdint>

namespace mendel {

// The compression function of SHA-256 (FIPS 180-4, section 6.2.2) for two messages at once.
// One message keeps a processor waiting for the result of each round; two that know nothing
// of each other fill the gaps.

inline constexpr std::size_t kSha256BlockSizeBytes = 64;

// Whether this processor has the instructions.
bool can_compress_pairs();

// Takes in so many blocks of each message. state: the eight words H0 … H7 of each, brought
// up to date in place. Only where can_compress_pairs(). Any thread.
void sha256_compress_pair(std::uint32_t* first_state, const std::byte* first_blocks,
                          std::uint32_t* second_state, const std::byte* second_blocks,
                          std::size_t block_count);

}  // namespace mendel
