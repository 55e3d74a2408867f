#pragma once

#include <cstddef>
#include <span>

namespace mendel::testing {

// Reads input as lines of KPI events, in pieces, and as a document of them. Whether there
// is a row and all are good. Aborts where a promise was broken.
bool read_hostile_kpi_events(std::span<const std::byte> input);

// Decodes what follows the first byte, which says how: 'g' gzip, otherwise zstd. False: it
// was refused with an Error that says that it is broken, or too large.
bool decode_hostile_content(std::span<const std::byte> input);

}  // namespace mendel::testing
