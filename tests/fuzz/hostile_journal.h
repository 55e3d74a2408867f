#pragma once

#include <cstddef>
#include <span>

namespace mendel::testing {

// Reads input as what follows a journal's head, and aborts if the reader breaks a promise
// of its header: items follow each other without overlapping and lie inside, a payload is
// framed by the bytes it was read from, bytes that are passed over are followed by a frame,
// and what is appended after a cut is read as well. Returns whether all of it was frames.
bool read_hostile_journal(std::span<const std::byte> input);

}  // namespace mendel::testing
