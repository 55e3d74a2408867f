#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "storage/base/digest.h"
#include "storage/pack.h"

namespace mendel::storage {

// Duplicates are found without an entry per chunk: one digest in kHookSpacing is a hook, by
// its value alone, so that two copies of a stream choose the same ones. Only hooks are
// indexed, with the packs that have them; a hit leads to a pack's own index, which knows
// the neighbours.
//
// Source: Lillibridge et al., "Sparse Indexing" (FAST 2009).
inline constexpr unsigned kHookSpacing = 32;

// A digest is a hook if its last byte is a multiple of kHookSpacing; the hook's value is
// its first eight bytes as a big-endian two's complement number, what PostgreSQL's bigint
// holds. Two chunks may share a hook: it says where to look, not what is there.
std::optional<std::int64_t> hook_of(const Digest& chunk);

// What any chunk's hook would be.
std::int64_t hook_value(const Digest& chunk);

// The hooks of all chunk and blob records of a pack, sorted, each once. In a pack of few of
// them each is a hook: a small change to a stream leaves a few chunks, most often with none
// in 32 among them, and such changes lie in many packs before long.
std::vector<std::int64_t> hooks_of(const PackIndex& pack);
inline constexpr std::size_t kFewChunks = 64;

}  // namespace mendel::storage
