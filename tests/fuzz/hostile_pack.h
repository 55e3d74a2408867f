#pragma once

#include <cstddef>
#include <span>

namespace mendel::testing {

// Parses input as a stream of packs and aborts if the parser breaks a promise of its
// header. The first byte, plus one, is the size of the pieces in which the rest is
// appended. Returns whether the stream was accepted.
bool parse_hostile_pack(std::span<const std::byte> input);

}  // namespace mendel::testing
