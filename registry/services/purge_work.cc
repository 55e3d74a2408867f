#include "registry/services/purge_work.h"

#include <algorithm>
#include <utility>

#include "registry/services/object_pack.h"
#include "schema/purge.h"
#include "storage/base/error.h"
#include "storage/object_keys.h"
#include "storage/pack_rewrite.h"
#include "storage/sparse_index.h"

// The order, in each namespace, and what a kill leaves:
//
//   1  the successor of a pack is durable            an object that no row names
//   2  the pack's row becomes that of the successor, the old object, whose name is in
//      and pack_move has its old name                pack_move
//   3  the object successors/… says where the        the same
//      records went
//   4  the old object goes, then its pack_move       pack_move names what is gone already
//
// 2 and 4 wait until nobody is writing rows, and count as rewriting: whoever had begun to
// write a pack before fails when its rows are to be written, because it may have seen
// chunks that are gone, or kept an object that was there already and is not any more.

namespace mendel::registry {

namespace {

using storage::RecordType;

constexpr std::int64_t kRecordsAtOnce = 200'000;
constexpr std::size_t kRecordsSavedAtOnce = 10'000;
constexpr std::size_t kPacksListed = 1000;
constexpr std::size_t kPacksReplacedAtOnce = 32;

}  // namespace

PurgeWork::PurgeWork(schema::Database& database, NamespacePacks& packs,
                     std::function<void()> still_alone)
    : database_(database), packs_(packs), still_alone_(std::move(still_alone)) {}

bool PurgeWork::run() {
  finish_moves();
  for (;;) {
    const auto unfinished = database_.read(
        "list unfinished tombstones",
        [](schema::Transaction& tx) { return schema::list_unfinished_tombstones(tx); });
    if (unfinished.empty()) return true;
    std::vector<Digest> blobs;
    std::vector<Digest> unlisted;
    for (const auto& tombstone : unfinished) {
      blobs.push_back(tombstone.digest);
      if (!tombstone.is_listed) unlisted.push_back(tombstone.digest);
    }
    purged_ = Digests(blobs.begin(), blobs.end());

    if (!unlisted.empty()) list_records(unlisted);
    remove_wanted();
    if (!report_.problems.empty()) return false;
    database_.transact("finish a purge",
                       [&](schema::Transaction& tx) { schema::mark_completed(tx, blobs); });
  }
}

// --- What an earlier run had decided ----------------------------------------------------

void PurgeWork::finish_moves() {
  const auto moves = database_.read("list packs that moved", [](schema::Transaction& tx) {
    return schema::list_pack_moves(tx);
  });
  for (const auto& move : moves) {
    still_alone_();
    finish_move(move.namespace_id, move.name, move.new_name);
  }
}

// The object goes while nobody can write rows: a writer that finds it there, and therefore
// writes none of its own, has begun before, and will fail.
void PurgeWork::finish_move(NamespaceId ns, const Digest& name,
                            const std::optional<Digest>& successor) {
  storage::ObjectStore& objects = packs_.of(ns).objects();
  if (successor && objects.find(storage::pack_key(name))) {
    storage::write_successor(objects, name, *successor);
  }
  database_.transact("remove a pack", [&](schema::Transaction& tx) {
    schema::hold_off_writers(tx);
    objects.remove(storage::pack_key(name));
    schema::delete_pack_move(tx, {ns, name, successor});
    schema::add_rewrite(tx, ns);
  });
}

// --- What the purged blobs are made of --------------------------------------------------

void PurgeWork::list_records(std::span<const Digest> unlisted) {
  const Digests blobs(unlisted.begin(), unlisted.end());
  std::vector<Digest> records(unlisted.begin(), unlisted.end());
  for (const NamespaceId ns : namespaces()) {
    each_pack(ns, [&](const storage::PackIndex& pack) {
      list_records_of(ns, pack, blobs, records);
    });
  }
  save(records);
  database_.transact("list the records of purged blobs",
                     [&](schema::Transaction& tx) { schema::mark_listed(tx, unlisted); });
}

void PurgeWork::list_records_of(NamespaceId ns, const storage::PackIndex& pack,
                                const Digests& blobs, std::vector<Digest>& records) {
  storage::PackCache& packs = packs_.of(ns);
  for (const auto& [header, offset] : pack.records()) {
    if (header.type != RecordType::recipe) continue;
    const auto recipe = read_recipe(ns, pack.name(), header.digest);
    if (!recipe || !recipe->blob || !blobs.contains(*recipe->blob)) continue;
    const auto unreadable = storage::visit_records(
        packs, pack.name(), header.digest, [&](const Digest& record) {
          records.push_back(record);
          if (records.size() == kRecordsSavedAtOnce) save(records);
        });
    if (unreadable > 0) {
      add_problem("a recipe of blob " + recipe->blob->to_string() +
                  " cannot be read: which chunks it has is not known");
    }
  }
}

// What cannot be read might be of a purged blob. It hides nothing else of its pack.
std::optional<storage::Recipe> PurgeWork::read_recipe(NamespaceId ns, const Digest& pack,
                                                      const Digest& recipe) {
  try {
    return storage::decode_recipe(packs_.of(ns).read(pack, RecordType::recipe, recipe));
  } catch (const Error& error) {
    if (error.code() != ErrorCode::data_loss) throw;
    add_problem(error.what());
    return std::nullopt;
  }
}

void PurgeWork::add_problem(std::string problem) {
  sees_all_ = false;
  auto& problems = report_.problems;
  if (std::ranges::find(problems, problem) == problems.end()) {
    problems.push_back(std::move(problem));
  }
}

void PurgeWork::save(std::vector<Digest>& records) {
  still_alone_();
  database_.transact("list the records of purged blobs", [&](schema::Transaction& tx) {
    schema::insert_purge_records(tx, records);
  });
  records.clear();
}

// --- Removing them ----------------------------------------------------------------------

void PurgeWork::remove_wanted() {
  std::optional<Digest> last;
  for (;;) {
    const auto page =
        database_.read("list the records of purged blobs", [&](schema::Transaction& tx) {
          return schema::list_purge_records(tx, last, kRecordsAtOnce);
        });
    if (page.empty()) return;
    last = page.back();
    wanted_ = Digests(page.begin(), page.end());
    for (const NamespaceId ns : namespaces()) clean(ns);
  }
}

void PurgeWork::clean(NamespaceId ns) {
  Scene scene{.ns = ns, .newest_pack = 0, .needed = {}};
  look_at_new_packs(scene, Look::number_alone);
  std::vector<Digest> holders;
  each_pack(ns, [&](const storage::PackIndex& pack) {
    const bool holds_any = std::ranges::any_of(
        pack.records(), [&](const auto& record) { return is_wanted(record.header); });
    if (holds_any) holders.push_back(pack.name());
  });
  if (holders.empty()) return;

  // Where something cannot be read, what it needs is not known: nothing goes.
  sees_all_ = true;
  each_pack(ns, [&](const storage::PackIndex& pack) { find_needed(scene, pack); });
  if (!sees_all_) return;
  for (std::span<const Digest> rest = holders; !rest.empty();) {
    const auto batch = rest.first(std::min(rest.size(), kPacksReplacedAtOnce));
    rest = rest.subspan(batch.size());
    replace(scene, batch);
  }
}

bool PurgeWork::is_wanted(const storage::RecordHeader& header) const {
  if (header.type == RecordType::manifest) return false;
  if (header.type == RecordType::blob && !purged_.contains(header.digest)) return false;
  return wanted_.contains(header.digest);
}

bool PurgeWork::is_dropped(const Scene& scene, const storage::RecordHeader& header) const {
  return is_wanted(header) && !scene.needed.contains(header.digest);
}

// What blobs need that were not purged: also those that no row names, because the rows can
// be made again from the packs.
void PurgeWork::find_needed(Scene& scene, const storage::PackIndex& pack) {
  for (const auto& [header, offset] : pack.records()) {
    if (header.type == RecordType::blob && !purged_.contains(header.digest) &&
        wanted_.contains(header.digest)) {
      scene.needed.insert(header.digest);
    }
    if (header.type != RecordType::recipe) continue;
    const auto recipe = read_recipe(scene.ns, pack.name(), header.digest);
    if (!recipe || !recipe->blob || purged_.contains(*recipe->blob)) continue;
    find_needed_by(scene, pack.name(), header.digest, *recipe->blob);
  }
}

// A blob that was purged before, and came again without being let in, needs nothing.
void PurgeWork::find_needed_by(Scene& scene, const Digest& pack, const Digest& recipe,
                               const Digest& blob) {
  Digests needed;
  const auto unreadable =
      storage::visit_records(packs_.of(scene.ns), pack, recipe, [&](const Digest& record) {
        if (wanted_.contains(record)) needed.insert(record);
      });
  if (unreadable > 0 && is_named(blob)) {
    add_problem("a recipe of blob " + blob.to_string() +
                " cannot be read: which chunks it has is not known");
  }
  if (needed.empty()) return;
  const auto tombstones =
      database_.read("look for a tombstone", [&](schema::Transaction& tx) {
        return schema::find_tombstones(tx, scene.ns, {&blob, 1});
      });
  if (tombstones.empty()) scene.needed.merge(needed);
}

bool PurgeWork::is_named(const Digest& blob) {
  return database_.read("find out who has a blob", [&](schema::Transaction& tx) {
    return !schema::list_blob_holders(tx, {&blob, 1}).empty();
  });
}

// While nobody writes rows, none with a lower number than the newest is still to come.
void PurgeWork::look_at_new_packs(Scene& scene, Look look) {
  const auto [newest, names] =
      database_.transact("list new packs", [&](schema::Transaction& tx) {
        schema::hold_off_writers(tx);
        return std::pair(schema::newest_pack_id(tx, scene.ns),
                         look == Look::number_alone
                             ? std::vector<Digest>()
                             : schema::list_packs_after(tx, scene.ns, scene.newest_pack));
      });
  for (const Digest& name : names) find_needed(scene, *index_of(scene.ns, name));
  scene.newest_pack = newest;
}

void PurgeWork::replace(Scene& scene, std::span<const Digest> names) {
  std::vector<Replacement> replacements;
  for (const Digest& name : names) {
    replacements.push_back({.pack = index_of(scene.ns, name), .successor = std::nullopt});
  }
  rewrite(scene, replacements);
  while (!replacements.empty() && !switch_rows(scene, replacements)) {
    look_at_new_packs(scene, Look::packs);
    if (!sees_all_) return;
    rewrite(scene, replacements);
  }
  for (const Replacement& replacement : replacements) {
    still_alone_();
    const auto& successor = replacement.successor;
    finish_move(scene.ns, replacement.pack->name(),
                successor ? std::optional(successor->name()) : std::nullopt);
    count(scene, replacement);
  }
}

// Writes what is not written yet, or was for what was known before. A pack that others need
// altogether stays as it is.
void PurgeWork::rewrite(const Scene& scene, std::vector<Replacement>& replacements) {
  std::erase_if(replacements, [&](const Replacement& replacement) {
    const bool stays = std::ranges::none_of(
        replacement.pack->records(),
        [&](const auto& record) { return is_dropped(scene, record.header); });
    if (stays) count(scene, replacement);
    return stays;
  });
  for (Replacement& replacement : replacements) {
    if (replacement.is_written && replacement.needed_count == scene.needed.size()) continue;
    still_alone_();
    rewrite(scene, replacement);
  }
}

void PurgeWork::rewrite(const Scene& scene, Replacement& replacement) {
  storage::PackCache& packs = packs_.of(scene.ns);
  ObjectPack object(packs);
  const auto keep = [&](const storage::RecordHeader& header) {
    return !is_dropped(scene, header);
  };
  replacement.successor =
      storage::rewrite_pack(packs.objects(), *replacement.pack, keep, object);
  replacement.is_written = true;
  replacement.needed_count = scene.needed.size();
  if (replacement.successor) object.commit(*replacement.successor);
}

// False: packs have come that nobody has looked at.
bool PurgeWork::switch_rows(const Scene& scene, std::span<const Replacement> replacements) {
  return database_.transact("replace packs", [&](schema::Transaction& tx) {
    schema::hold_off_writers(tx);
    if (schema::newest_pack_id(tx, scene.ns) > scene.newest_pack) return false;
    for (const auto& replacement : replacements) {
      const auto& pack = replacement.pack;
      const auto& successor = replacement.successor;
      require_nothing_lost(schema::list_blobs_in_pack(tx, scene.ns, pack->name()),
                           replacement);
      std::optional<schema::PackRow> row;
      if (successor) {
        row = {successor->name(), static_cast<std::int64_t>(successor->pack_size_bytes()),
               static_cast<std::int32_t>(successor->records().size()),
               storage::hooks_of(*successor)};
      }
      schema::replace_pack(tx, scene.ns, pack->name(), row);
      schema::insert_pack_move(
          tx, {scene.ns, pack->name(), row ? std::optional(row->name) : std::nullopt});
    }
    schema::add_rewrite(tx, scene.ns);
    return true;
  });
}

// Whatever was decided: no row may name what is gone.
void PurgeWork::require_nothing_lost(std::span<const schema::BlobRow> blobs,
                                     const Replacement& replacement) {
  for (const schema::BlobRow& blob : blobs) {
    const auto type = blob.recipe ? RecordType::recipe : RecordType::blob;
    const Digest& record = blob.recipe ? *blob.recipe : blob.digest;
    if (replacement.successor && replacement.successor->find(type, record)) continue;
    throw Error(ErrorCode::internal, "purging would take away blob " +
                                         blob.digest.to_string() + " of pack " +
                                         replacement.pack->name().hex());
  }
}

void PurgeWork::count(const Scene& scene, const Replacement& replacement) {
  std::uint64_t dropped = 0;
  for (const auto& [header, offset] : replacement.pack->records()) {
    if (is_dropped(scene, header)) {
      ++dropped;
      report_.bytes_removed += header.stored_size_bytes;
    } else if (is_wanted(header) && header.type != RecordType::recipe) {
      ++report_.chunks_kept;
      report_.bytes_kept += header.stored_size_bytes;
    }
  }
  report_.records_removed += dropped;
  if (dropped > 0)
    ++(replacement.successor ? report_.packs_rewritten : report_.packs_removed);
}

// --- What there is ----------------------------------------------------------------------

// Every object is looked at, whether a row names it or not: an upload that broke may have
// left bytes that must not exist.
void PurgeWork::each_pack(NamespaceId ns, const EachPack& visit) {
  storage::PackCache& packs = packs_.of(ns);
  std::string last;
  for (;;) {
    const auto listed = packs.objects().list(storage::kPackPrefix, last, kPacksListed);
    if (listed.empty()) return;
    last = listed.back().key;
    for (const auto& object : listed) {
      const auto name = storage::pack_name_of(object.key);
      if (!name) continue;
      still_alone_();
      try {
        visit(*index_of(ns, *name));
      } catch (const Error& error) {
        if (error.code() != ErrorCode::data_loss) throw;
        add_problem(error.what());
      }
    }
  }
}

// Its own, also where it came again after it had been rewritten.
std::shared_ptr<const storage::PackIndex> PurgeWork::index_of(NamespaceId ns,
                                                              const Digest& pack) {
  storage::PackCache& packs = packs_.of(ns);
  if (auto index = packs.index(pack); index->name() == pack) return index;
  return std::make_shared<const storage::PackIndex>(
      storage::read_pack_index(packs.objects(), pack));
}

std::vector<NamespaceId> PurgeWork::namespaces() {
  return database_.read("list namespaces", [](schema::Transaction& tx) {
    return schema::list_namespace_ids(tx);
  });
}

}  // namespace mendel::registry
