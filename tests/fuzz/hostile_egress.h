#pragma once

#include <cstddef>
#include <span>

namespace mendel::testing {

// What strangers send to the parts that speak to the world outside. Each aborts if a parser
// breaks a promise of its header, and returns whether the input was accepted.

// The body of a webhook's delivery, for each kind of hook; accepted: a push to github's.
bool read_hostile_push(std::span<const std::byte> input);

// Three lines (webhook-id, webhook-timestamp, webhook-signature) and the body.
bool check_hostile_signature(std::span<const std::byte> input);

// The address of a repository, also as an entry of --egress-allow.
bool parse_hostile_address(std::span<const std::byte> input);

// What git ls-remote prints.
bool parse_hostile_refs(std::span<const std::byte> input);

}  // namespace mendel::testing
