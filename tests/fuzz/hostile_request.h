#pragma once

#include <cstddef>
#include <span>

namespace mendel::testing {

// Read input and abort if a reader breaks a promise of its header. Return whether the input
// was accepted.

// A publish request's body, as the server reads it: nothing is thrown but an Error that
// blames the body, and what is accepted makes a manifest, or none for a stated reason.
bool read_hostile_body(std::span<const std::byte> input);

// Metrics of a run, as a document; and, whatever the document is, as lines, all at once and
// again in small pieces, which must come to the same.
bool read_hostile_metrics(std::span<const std::byte> input);

// The head of an HTTP request and the chunks of its body, all of it at once and again in
// small pieces, which must come to the same; then its target and its token.
bool read_hostile_request(std::span<const std::byte> input);

}  // namespace mendel::testing
