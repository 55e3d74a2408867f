#pragma once

#include <cstddef>
#include <span>

namespace mendel::testing {

// Decode input and abort if a decoder breaks a promise of its header: it throws nothing but
// an Error of its one code, and what it accepts is encoded in the same bytes. Return
// whether the input was accepted.
bool decode_hostile_recipe(std::span<const std::byte> input);
bool decode_hostile_points(std::span<const std::byte> input);
bool decode_hostile_manifest(std::span<const std::byte> input);

}  // namespace mendel::testing
