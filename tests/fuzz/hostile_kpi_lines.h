#pragma once

#include <cstddef>
#include <span>

namespace mendel::testing {

// Reads input as a file of events, and aborts if the reader gives other lines than there
// are, in another order, or under other numbers. Returns whether all of it was whole lines.
bool read_hostile_kpi_lines(std::span<const std::byte> input);

}  // namespace mendel::testing
