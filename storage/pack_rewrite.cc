#include "storage/pack_rewrite.h"

#include <algorithm>
#include <string>
#include <vector>

#include "storage/base/error.h"
#include "storage/object_keys.h"
#include "storage/recipe.h"
#include "storage/record_reader.h"

namespace mendel::storage {

namespace {

class RecordVisitor {
 public:
  RecordVisitor(PackCache& packs, const std::function<void(const Digest&)>& visit)
      : records_(packs), visit_(visit) {}

  // height: what the recipe's must be, unless it is the topmost.
  void visit(const Digest& pack, const Digest& digest, std::optional<int> height) {
    visit_(digest);
    const auto recipe = read(pack, digest, height);
    if (!recipe) return;
    for (const Recipe::Entry& entry : recipe->entries) {
      const Digest& at = entry.pack == 0 ? pack : recipe->packs[entry.pack - 1];
      if (recipe->height == 0) {
        visit_(entry.digest);
      } else {
        visit(at, entry.digest, recipe->height - 1);
      }
    }
  }

  std::uint64_t unreadable() const { return unreadable_; }

 private:
  std::optional<Recipe> read(const Digest& pack, const Digest& digest,
                             std::optional<int> height) {
    try {
      Recipe recipe = decode_recipe(records_.read(pack, RecordType::recipe, digest));
      if (!height || recipe.height == *height) return recipe;
    } catch (const Error& error) {
      if (error.code() != ErrorCode::data_loss) throw;
    }
    ++unreadable_;
    return std::nullopt;
  }

  RecordReader records_;
  const std::function<void(const Digest&)>& visit_;
  std::uint64_t unreadable_ = 0;
};

}  // namespace

std::optional<PackIndex> rewrite_pack(ObjectStore& objects, const PackIndex& pack,
                                      const std::function<bool(const RecordHeader&)>& keep,
                                      Sink& sink) {
  const auto records = pack.records();
  const bool any_is_kept = std::ranges::any_of(
      records, [&](const RecordLocation& record) { return keep(record.header); });
  if (!any_is_kept) return std::nullopt;

  PackWriter writer(sink);
  const std::string key = pack_key(pack.name());
  std::vector<std::byte> stored;
  for (const auto& [header, offset] : records) {
    if (!keep(header)) continue;
    stored.resize(header.stored_size_bytes);
    if (objects.read(key, offset, stored) != stored.size()) {
      throw Error(ErrorCode::data_loss,
                  "pack " + pack.name().hex() + " ends before its last record");
    }
    writer.add_stored(header, stored);
  }
  return writer.finish();
}

std::uint64_t visit_records(PackCache& packs, const Digest& pack, const Digest& recipe,
                            const std::function<void(const Digest&)>& visit) {
  RecordVisitor visitor(packs, visit);
  visitor.visit(pack, recipe, std::nullopt);
  return visitor.unreadable();
}

std::optional<Digest> find_successor(ObjectStore& objects, const Digest& pack) {
  const std::string key = successor_key(pack);
  const auto object = objects.find(key);
  if (!object) return std::nullopt;
  std::string hex(object->size_bytes, '\0');
  const bool is_short = hex.size() <= 2 * Digest::kSizeBytes;
  if (is_short) objects.read(key, 0, std::as_writable_bytes(std::span(hex)));
  const auto successor = Digest::find_in("sha256:" + hex);
  if (!is_short || !successor) {
    throw Error(ErrorCode::data_loss, key + " does not name a pack");
  }
  return successor;
}

void write_successor(ObjectStore& objects, const Digest& pack, const Digest& successor) {
  const std::string key = successor_key(pack);
  if (objects.find(key)) objects.remove(key);
  const auto object = objects.create();
  object->append(as_bytes(successor.hex()));
  object->commit(key);
}

}  // namespace mendel::storage
