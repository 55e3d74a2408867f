#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

#include "registry/services/namespace_packs.h"
#include "schema/content.h"
#include "schema/database.h"
#include "storage/base/digest.h"
#include "storage/pack.h"
#include "storage/recipe.h"

namespace mendel::registry {

// What removing the bytes of purged blobs came to.
struct PurgedBytes {
  std::uint64_t packs_rewritten = 0;
  std::uint64_t packs_removed = 0;  // nothing of them was left
  std::uint64_t records_removed = 0;
  std::uint64_t bytes_removed = 0;  // as they were stored
  std::uint64_t chunks_kept = 0;    // because other blobs have them, too
  std::uint64_t bytes_kept = 0;
  std::vector<std::string> problems;  // a sentence each: packs that cannot be read
};

// Removes the bytes of all blobs whose tombstones are unfinished (storage/DESIGN.md,
// Purging): lists the records that they are made of, finds out which of those other blobs
// need, and writes the packs that hold the rest anew, without it. Whatever interrupts it,
// it can be run again, and goes on. Memory: kRecordsAtOnce digests, whatever the blobs'
// sizes.
//
// At most one runs at a time, on all servers. still_alone is called between its steps, and
// throws when it is to stop.
class PurgeWork {
 public:
  PurgeWork(schema::Database& database, NamespacePacks& packs,
            std::function<void()> still_alone);

  // Whether every tombstone is finished: not if a pack could not be read.
  bool run();

  PurgedBytes take_report() { return std::move(report_); }

 private:
  using Digests = std::unordered_set<Digest>;
  using EachPack = std::function<void(const storage::PackIndex&)>;

  // What there was to see in a namespace before its packs are changed.
  struct Scene {
    NamespaceId ns;
    std::int64_t newest_pack = 0;  // what is newer has not been looked at
    Digests needed;                // of wanted_: by blobs that stay
  };

  // A pack that is about to go, and what is to take its place.
  struct Replacement {
    std::shared_ptr<const storage::PackIndex> pack;
    std::optional<storage::PackIndex> successor;
    bool is_written = false;
    std::size_t needed_count = 0;  // then
  };

  void finish_moves();
  void finish_move(NamespaceId ns, const Digest& name,
                   const std::optional<Digest>& successor);

  void list_records(std::span<const Digest> blobs);
  void list_records_of(NamespaceId ns, const storage::PackIndex& pack, const Digests& blobs,
                       std::vector<Digest>& records);
  void save(std::vector<Digest>& records);
  std::optional<storage::Recipe> read_recipe(NamespaceId ns, const Digest& pack,
                                             const Digest& recipe);
  void add_problem(std::string problem);

  void remove_wanted();
  void clean(NamespaceId ns);
  enum class Look { number_alone, packs };
  void look_at_new_packs(Scene& scene, Look look);
  void find_needed(Scene& scene, const storage::PackIndex& pack);
  void find_needed_by(Scene& scene, const Digest& pack, const Digest& recipe,
                      const Digest& blob);
  bool is_named(const Digest& blob);
  void replace(Scene& scene, std::span<const Digest> packs);
  void rewrite(const Scene& scene, std::vector<Replacement>& replacements);
  void rewrite(const Scene& scene, Replacement& replacement);
  bool switch_rows(const Scene& scene, std::span<const Replacement> replacements);
  static void require_nothing_lost(std::span<const schema::BlobRow> blobs,
                                   const Replacement& replacement);
  void count(const Scene& scene, const Replacement& replacement);
  bool is_dropped(const Scene& scene, const storage::RecordHeader& header) const;
  bool is_wanted(const storage::RecordHeader& header) const;

  void each_pack(NamespaceId ns, const EachPack& visit);
  std::shared_ptr<const storage::PackIndex> index_of(NamespaceId ns, const Digest& pack);
  std::vector<NamespaceId> namespaces();

  schema::Database& database_;
  NamespacePacks& packs_;
  const std::function<void()> still_alone_;
  Digests purged_;  // the blobs
  Digests wanted_;  // of their records, those that are looked for at present
  PurgedBytes report_;
  bool sees_all_ = true;  // nothing that was to be read was damaged
};

}  // namespace mendel::registry
