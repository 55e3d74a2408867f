#pragma once

#include <cstddef>
#include <span>

namespace mendel::testing {

// The first line of input is a pattern, the rest a text for it. Aborts if the parser throws
// anything but invalid_argument, or if two matchers disagree: ours and one that tries all
// ways, where that is bearable. Returns whether the pattern was accepted.
bool match_hostile_glob(std::span<const std::byte> input);

// The same for a pipeline's document: whatever is accepted can be read back.
bool read_hostile_pipeline(std::span<const std::byte> input);

}  // namespace mendel::testing
