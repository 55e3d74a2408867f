#include "registry/services/pack_gatherer.h"

#include <vector>

#include "registry/services/group_work.h"
#include "registry/services/object_pack.h"
#include "registry/services/pack_rows.h"

namespace mendel::registry {

namespace {

// What one pack takes at the most, so that nobody waits for long and packs stay of a size
// that is read back in one go.
constexpr std::size_t kRecordsMax = 4096;
constexpr std::uint64_t kRawBytesMax = 32ull << 20;

}  // namespace

struct PackGatherer::Record {
  storage::RecordType type;
  const Digest& digest;
  std::span<const std::byte> raw;
};

struct PackGatherer::State {
  GroupWork<NamespaceId, const Record> groups;
};

PackGatherer::PackGatherer(schema::Database& database, NamespacePacks& packs)
    : database_(database), packs_(packs), state_(std::make_unique<State>()) {}
PackGatherer::~PackGatherer() = default;

void PackGatherer::store(NamespaceId ns, storage::RecordType type, const Digest& digest,
                         std::span<const std::byte> raw) {
  const Record mine{type, digest, raw};
  std::uint64_t raw_bytes = raw.size();
  const auto fits = [&raw_bytes](std::span<const Record* const> group, const Record& next) {
    raw_bytes += next.raw.size();
    return group.size() < kRecordsMax && raw_bytes <= kRawBytesMax;
  };
  state_->groups.join(ns, mine, fits, [&](std::span<const Record* const> records) {
    write_one_pack(ns, records);
  });
}

void PackGatherer::write_one_pack(NamespaceId ns, std::span<const Record* const> records) {
  ObjectPack pack(packs_.of(ns));
  storage::PackWriter writer(pack);
  std::vector<storage::StoredBlob> blobs;
  std::vector<Digest> manifests;
  for (const Record* const record : records) {
    if (writer.contains(record->type, record->digest)) continue;
    writer.add(record->type, record->digest, record->raw);
    if (record->type == storage::RecordType::manifest) {
      manifests.push_back(record->digest);
    } else {
      blobs.push_back({record->digest, record->raw.size(), std::nullopt});
    }
  }
  const auto index = pack.commit(writer.finish());
  database_.transact("record a pack of small blobs", [&](schema::Transaction& tx) {
    insert_pack_rows(tx, ns, *index, blobs, manifests, std::nullopt);
  });
}

}  // namespace mendel::registry
