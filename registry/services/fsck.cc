#include "registry/services/fsck.h"

#include <optional>
#include <span>
#include <unordered_set>

#include "registry/services/pack_rows.h"
#include "schema/content.h"
#include "schema/purge.h"
#include "storage/base/error.h"
#include "storage/blob_reader.h"
#include "storage/manifest.h"
#include "storage/object_keys.h"
#include "storage/recipe.h"

namespace mendel::registry {

namespace {

constexpr std::size_t kPacksListed = 1000;

class Rebuild {
 public:
  Rebuild(schema::Database& database, NamespacePacks& packs, Verify verify)
      : database_(database), packs_(packs), verify_(verify) {}

  RebuildReport run() {
    const auto namespaces = database_.read("list namespaces", [](schema::Transaction& tx) {
      return schema::list_namespace_ids(tx);
    });
    for (const NamespaceId ns : namespaces) rebuild_packs(ns);
    for (const NamespaceId ns : namespaces) attach_again(ns);
    return std::move(report_);
  }

 private:
  // Runs a step; damage becomes a line of the report. Returns whether all was well.
  template <class Step>
  bool note_damage(Step step) {
    try {
      step();
      return true;
    } catch (const Error& error) {
      const ErrorCode code = error.code();
      if (code != ErrorCode::data_loss && code != ErrorCode::not_found &&
          code != ErrorCode::unprocessable) {
        throw;
      }
      report_.problems.emplace_back(error.what());
      return false;
    }
  }

  void rebuild_packs(NamespaceId ns) {
    storage::ObjectStore& objects = packs_.of(ns).objects();
    std::string last;
    for (;;) {
      const auto listed = objects.list(storage::kPackPrefix, last, kPacksListed);
      if (listed.empty()) return;
      last = listed.back().key;
      for (const auto& object : listed) {
        if (const auto name = storage::pack_name_of(object.key)) {
          note_damage([&] { rebuild_pack(ns, *name); });
        }
      }
    }
  }

  // Reads from a pack. One that the store has and cannot read is damage; a store that is
  // away is none.
  template <class Read>
  auto read_from(NamespaceId ns, const Digest& pack, Read read) {
    try {
      return read();
    } catch (const Error& error) {
      if (error.code() != ErrorCode::unavailable) throw;
      if (!packs_.of(ns).objects().find(storage::pack_key(pack))) throw;
      throw Error(ErrorCode::data_loss, "pack " + pack.hex() + ": " + error.what());
    }
  }

  // Reads the index from the object, not from memory, which would hide damage.
  void rebuild_pack(NamespaceId ns, const Digest& name) {
    const RewriteCount seen = count_rewrites(database_, ns);
    const storage::PackIndex index = read_from(
        ns, name, [&] { return storage::read_pack_index(packs_.of(ns).objects(), name); });
    std::vector<storage::StoredBlob> blobs;
    std::vector<Digest> manifests;
    for (const storage::RecordLocation& record : index.records()) {
      note_damage([&] {
        read_from(ns, name, [&] { inspect(ns, index, record, blobs, manifests); });
      });
    }
    database_.transact("record a pack again", [&](schema::Transaction& tx) {
      schema::hold_off_purges(tx);
      leave_out_purged(tx, ns, blobs);
      insert_pack_rows(tx, ns, index, blobs, manifests, seen);
    });
    ++report_.packs;
    report_.blobs += blobs.size();
    report_.manifests += manifests.size();
  }

  // What is purged, and has bytes yet, comes back under no name.
  static void leave_out_purged(schema::Transaction& tx, NamespaceId ns,
                               std::vector<storage::StoredBlob>& blobs) {
    std::vector<Digest> digests;
    for (const auto& blob : blobs) digests.push_back(blob.digest);
    std::unordered_set<Digest> purged;
    for (const auto& row : schema::find_tombstones(tx, ns, digests)) {
      purged.insert(row.digest);
    }
    std::erase_if(blobs, [&](const auto& blob) { return purged.contains(blob.digest); });
  }

  void inspect(NamespaceId ns, const storage::PackIndex& index,
               const storage::RecordLocation& record,
               std::vector<storage::StoredBlob>& blobs, std::vector<Digest>& manifests) {
    using storage::RecordType;
    const auto& [header, offset] = record;
    switch (header.type) {
      case RecordType::chunk:
        if (verify_ == Verify::everything) read_verified(ns, index, record);
        return;
      case RecordType::blob:
        if (verify_ == Verify::everything) read_verified(ns, index, record);
        blobs.push_back({header.digest, header.raw_size_bytes, std::nullopt});
        return;
      case RecordType::manifest:
        storage::decode_manifest(as_text(read_verified(ns, index, record)));
        manifests.push_back(header.digest);
        return;
      case RecordType::recipe: {
        const auto recipe = storage::decode_recipe(read_verified(ns, index, record));
        if (!recipe.blob) return;
        verify_blob(packs_.of(ns),
                    {*recipe.blob, recipe.size_bytes(), index.name(), header.digest});
        blobs.push_back({*recipe.blob, recipe.size_bytes(), header.digest});
        return;
      }
    }
  }

  // Valid until the next call.
  std::span<const std::byte> read_verified(NamespaceId ns, const storage::PackIndex& index,
                                           const storage::RecordLocation& record) {
    raw_.resize(record.header.raw_size_bytes);
    read_record(packs_.of(ns).objects(), index.name(), record, scratch_, raw_);
    if (Digest::of(raw_) != record.header.digest) {
      throw Error(ErrorCode::data_loss, "pack " + index.name().hex() + ": the digest of " +
                                            record.header.digest.to_string() + " differs");
    }
    return raw_;
  }

  void attach_again(NamespaceId ns) {
    const auto named = database_.read("list manifests", [&](schema::Transaction& tx) {
      return schema::list_version_manifests(tx, ns);
    });
    for (const Digest& digest : named) {
      note_damage([&] { attach_files_of(ns, digest); });
    }
  }

  void attach_files_of(NamespaceId ns, const Digest& manifest_digest) {
    const auto place = database_.read("find a manifest", [&](schema::Transaction& tx) {
      return schema::find_manifest(tx, ns, manifest_digest);
    });
    if (!place) {
      throw Error(ErrorCode::data_loss, "manifest " + manifest_digest.to_string() +
                                            ", which a version names, is not there");
    }
    const auto bytes = read_from(place->pack_namespace, place->pack, [&] {
      return packs_.of(place->pack_namespace)
          .read(place->pack, storage::RecordType::manifest, manifest_digest);
    });
    const auto manifest = storage::decode_manifest(as_text(bytes));
    std::vector<Digest> digests;
    for (const auto& file : manifest.files) {
      if (file.digest) digests.push_back(*file.digest);
    }
    const Attached outcome = database_.transact(
        "attach blobs again",
        [&](schema::Transaction& tx) { return attach_missing(tx, ns, digests); });
    report_.attached += outcome.attached;
    for (const Digest& lost : outcome.lost) {
      report_.problems.push_back("blob " + lost.to_string() +
                                 ", which a version names, is not there");
    }
  }

  struct Attached {
    std::uint64_t attached = 0;
    std::vector<Digest> lost;
  };
  static Attached attach_missing(schema::Transaction& tx, NamespaceId ns,
                                 std::span<const Digest> digests) {
    Attached outcome;
    schema::hold_off_purges(tx);
    const auto sizes = schema::find_blob_sizes(tx, ns, digests);
    for (std::size_t i = 0; i < digests.size(); ++i) {
      if (sizes[i]) continue;
      if (schema::attach_blob_again(tx, ns, digests[i])) {
        ++outcome.attached;
      } else if (!schema::find_blob(tx, ns, digests[i]) &&  // not named twice, either
                 schema::find_tombstones(tx, ns, {&digests[i], 1}).empty()) {
        outcome.lost.push_back(digests[i]);
      }
    }
    return outcome;
  }

  schema::Database& database_;
  NamespacePacks& packs_;
  const Verify verify_;
  RebuildReport report_;
  std::vector<std::byte> raw_;
  std::vector<std::byte> scratch_;
};

}  // namespace

RebuildReport FsckService::rebuild_index(Verify verify) {
  return Rebuild(database_, packs_, verify).run();
}

}  // namespace mendel::registry
