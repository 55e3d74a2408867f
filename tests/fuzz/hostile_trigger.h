#pragma once

#include <cstddef>
#include <span>

namespace mendel::testing {

// Gives hostile bytes to what reads schedules, and to what reads triggers' documents.
// False: they were refused with an Error that says that they are wrong. Aborts where a
// promise was broken.
bool parse_hostile_schedule(std::span<const std::byte> input);
bool parse_hostile_trigger(std::span<const std::byte> input);

}  // namespace mendel::testing
