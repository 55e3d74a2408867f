#include "storage/leaf_reader.h"

#include <string>
#include <utility>

#include "storage/base/error.h"

namespace mendel::storage {

namespace {

[[noreturn]] void throw_wrong(const Digest& recipe, const std::string& rule) {
  throw Error(ErrorCode::data_loss, "recipe " + recipe.to_string() + " " + rule);
}

const Digest& pack_of(const Recipe& recipe, const Recipe::Entry& entry,
                      const Digest& own_pack) {
  return entry.pack == 0 ? own_pack : recipe.packs[entry.pack - 1];
}

Recipe with_packs_named(const Recipe& recipe, const Digest& own_pack) {
  Recipe named;
  named.height = recipe.height;
  named.blob = recipe.blob;
  for (Recipe::Entry entry : recipe.entries) {
    entry.pack = named.number_of(pack_of(recipe, entry, own_pack));
    named.entries.push_back(entry);
  }
  return named;
}

}  // namespace

LeafReader::LeafReader(PackCache& packs, const BlobLocation& blob)
    : LeafReader(packs, blob, 0) {}

LeafReader::LeafReader(PackCache& packs, const BlobLocation& blob, std::uint64_t offset)
    : records_(packs), start_(offset) {
  if (blob.recipe) {
    open_root(blob);
  } else {
    only_leaf_.emplace();
    only_leaf_->blob = blob.digest;
    only_leaf_->entries = {
        {blob.digest, blob.size_bytes, only_leaf_->number_of(blob.pack)}};
  }
}

void LeafReader::open_root(const BlobLocation& blob) {
  Recipe root = decode_recipe(records_.read(blob.pack, RecordType::recipe, *blob.recipe));
  if (root.blob != blob.digest) throw_wrong(*blob.recipe, "is that of another blob");
  if (root.size_bytes() != blob.size_bytes) {
    throw_wrong(*blob.recipe, "is that of a blob of another size");
  }
  if (root.height == 0) {
    only_leaf_ = with_packs_named(root, blob.pack);
  } else {
    path_.push_back({std::move(root), blob.pack});
  }
}

std::optional<Recipe> LeafReader::next() {
  if (only_leaf_) return std::exchange(only_leaf_, std::nullopt);
  while (!path_.empty()) {
    Node& node = path_.back();
    if (node.next == node.recipe.entries.size()) {
      path_.pop_back();
      continue;
    }
    const Recipe::Entry& entry = node.recipe.entries[node.next++];
    if (position_ + entry.size_bytes <= start_) {
      position_ += entry.size_bytes;
      continue;
    }
    Recipe child = read_child(node, entry);
    const Digest pack = pack_of(node.recipe, entry, node.pack);
    if (child.height == 0) {
      leaf_offset_ = std::exchange(position_, position_ + entry.size_bytes);
      return with_packs_named(child, pack);
    }
    path_.push_back({std::move(child), pack});
  }
  return std::nullopt;
}

Recipe LeafReader::read_child(const Node& parent, const Recipe::Entry& entry) {
  const Digest& pack = pack_of(parent.recipe, entry, parent.pack);
  Recipe child = decode_recipe(records_.read(pack, RecordType::recipe, entry.digest));
  if (child.blob) throw_wrong(entry.digest, "is a topmost one below another");
  if (child.height + 1 != parent.recipe.height) {
    throw_wrong(entry.digest, "is not one level below the one that lists it");
  }
  if (child.size_bytes() != entry.size_bytes) {
    throw_wrong(entry.digest, "does not have the size that is listed for it");
  }
  return child;
}

}  // namespace mendel::storage
