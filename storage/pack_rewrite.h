#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "storage/base/digest.h"
#include "storage/base/io.h"
#include "storage/object_store.h"
#include "storage/pack.h"
#include "storage/pack_cache.h"

namespace mendel::storage {

// Copies the records of a pack that are to be kept, in their order and as they are stored,
// into a new pack. Damaged ones stay what they are. nullopt, and nothing is written: there
// are none. Holds one record.
std::optional<PackIndex> rewrite_pack(ObjectStore& objects, const PackIndex& pack,
                                      const std::function<bool(const RecordHeader&)>& keep,
                                      Sink& sink);

// Visits the digest of every record that a blob is made of: its recipes, each before what
// it lists, and its chunks. Where a recipe cannot be read, what is below it is passed over.
// Returns how many those were. Holds one recipe per level.
std::uint64_t visit_records(PackCache& packs, const Digest& pack, const Digest& recipe,
                            const std::function<void(const Digest&)>& visit);

// Where the records of a pack went that was rewritten: an object beside it says so, which
// is asked for only once the pack itself is gone. Both must lie in one namespace.
std::optional<Digest> find_successor(ObjectStore& objects, const Digest& pack);

// Replaces what was said before; so the pack itself must be there yet.
void write_successor(ObjectStore& objects, const Digest& pack, const Digest& successor);

}  // namespace mendel::storage
