#pragma once

#include <memory>
#include <span>

#include "registry/services/namespace_packs.h"
#include "schema/database.h"
#include "storage/base/digest.h"
#include "storage/pack.h"

namespace mendel::registry {

// Stores single records so that many small writes at once become few packs: group commit.
// The first caller of a namespace writes a pack of whatever is waiting when it begins;
// those who come meanwhile wait, and the first of them writes the next one. A lone caller
// waits for nobody. Any thread.
class PackGatherer {
 public:
  PackGatherer(schema::Database& database, NamespacePacks& packs);
  ~PackGatherer();

  // Stores a blob of one chunk, or a manifest, whose digest was verified. When it returns,
  // the pack is durable and the rows are committed. A failure reaches exactly those whose
  // records were to go into the pack that failed.
  void store(NamespaceId ns, storage::RecordType type, const Digest& digest,
             std::span<const std::byte> raw);

 private:
  struct Record;
  struct State;

  void write_one_pack(NamespaceId ns, std::span<const Record* const> records);

  schema::Database& database_;
  NamespacePacks& packs_;
  const std::unique_ptr<State> state_;
};

}  // namespace mendel::registry
