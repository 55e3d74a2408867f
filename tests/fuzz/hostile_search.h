#pragma once

#include <cstddef>
#include <span>

namespace mendel::testing {

// Parses input as a search and aborts if the parser breaks a promise of its header: it
// throws nothing but invalid_argument, and what it accepts is within its limits. Returns
// whether the input was accepted.
bool parse_hostile_search(std::span<const std::byte> input);

}  // namespace mendel::testing
