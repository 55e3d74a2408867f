#pragma once

#include <memory>
#include <optional>

#include "registry/services/blobs.h"
#include "registry/services/memory_budget.h"
#include "registry/services/pack_gatherer.h"

namespace mendel::registry {

// What all plain uploads together may hold in memory.
inline constexpr std::size_t kUploadMemoryMax = 160 << 20;

// An upload of a blob that the namespace does not have yet. A blob of one chunk goes to the
// gatherer; a larger one is cut, and into packs of its own.
std::unique_ptr<BlobService::Upload> begin_storing_upload(
    schema::Database& database, NamespacePacks& packs, PackGatherer& gatherer,
    MemoryBudget& budget, NamespaceId ns, const Digest& expected,
    std::optional<std::uint64_t> size_bytes);

// An upload of a blob that is there already: it is only compared with its digest.
std::unique_ptr<BlobService::Upload> begin_comparing_upload(const Digest& expected);

}  // namespace mendel::registry
