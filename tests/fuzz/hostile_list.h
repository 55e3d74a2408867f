#pragma once

#include <cstddef>
#include <span>

namespace mendel::testing {

// What users hand to the command: hyperparameters in either notation, and lists of files
// that stay where they are. Abort if a reader throws anything but an Error that says that
// the input is wrong or too large, or takes what a version cannot hold. Return whether the
// input was accepted.
bool read_hostile_yaml(std::span<const std::byte> input);
bool read_hostile_json(std::span<const std::byte> input);
bool read_hostile_list(std::span<const std::byte> input);

}  // namespace mendel::testing
