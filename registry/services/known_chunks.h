#pragma once

#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "registry/services/namespace_packs.h"
#include "schema/database.h"
#include "storage/base/digest.h"
#include "storage/blob_writer.h"

namespace mendel::registry {

// Which chunks of a stream a namespace has already, without a table of chunks. The hooks of
// a segment lead to the packs that have most of them; those packs' own indexes answer for
// every chunk. Since streams are stored in order, the packs that answered one segment are
// asked first about the next.
//
// Answers are never wrong, but may miss a duplicate: it is then stored again. Asks only for
// packs that have rows in the namespace. For one thread.
class NamespaceChunks : public storage::KnownChunks {
 public:
  NamespaceChunks(schema::Database& database, NamespacePacks& packs, NamespaceId ns);

  std::vector<std::optional<Digest>> find(std::span<const Digest> digests) override;

  // The same, and packs (of the namespace) are asked as well, before the hooks are.
  std::vector<std::optional<Digest>> find(std::span<const Digest> digests,
                                          std::span<const Digest> packs);

 private:
  using Found = std::vector<std::optional<Digest>>;

  void expect(const Digest& pack_name);
  void look_into(const Digest& pack_name, std::span<const Digest> digests, Found& found);
  std::vector<Digest> candidates(std::span<const Digest> digests, const Found& found);

  schema::Database& database_;
  storage::PackCache& packs_;
  NamespaceId ns_;
  std::deque<Digest> expected_;  // the most recent first
};

}  // namespace mendel::registry
