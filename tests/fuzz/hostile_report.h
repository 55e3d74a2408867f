#pragma once

#include <cstddef>
#include <span>

namespace mendel::testing {

// Gives hostile bytes to what reads the document of a KPI report. False: they were refused
// with an Error that says that they are wrong. Aborts where a promise was broken.
bool parse_hostile_report(std::span<const std::byte> input);

}  // namespace mendel::testing
