#include "storage/recipe.h"

#include <algorithm>
#include <string>

#include "storage/base/error.h"
#include "storage/chunker.h"

// The bytes of a recipe, format version 1. Numbers are little-endian and unsigned.
//
//   offset  bytes  what
//        0      1  format: 1
//        1      1  height: 0 for a leaf
//        2      1  flags: bit 0 says that the blob's digest follows; the others are zero
//        3      1  zero
//        4      2  number of packs P: 0 to E
//        6      2  number of entries E: 1 to 512
//        8     32  the blob's digest, if bit 0 of flags says so
//           32 P  the packs' names, each once, in the order of the entries that use them
//           42 E  the entries:
//        0     32    digest of the chunk or recipe
//       32      8    raw size of the chunk, or of all that is below the recipe
//       40      2    pack: 0 this one, n the n-th of the packs
//
// There is one way to write a recipe: no pack is named twice, unused or out of order.

namespace mendel::storage {

namespace {

constexpr std::uint64_t kFormat = 1;
constexpr std::uint64_t kHasBlob = 1;
constexpr std::size_t kHeaderSizeBytes = 8;
constexpr std::size_t kEntrySizeBytes = Digest::kSizeBytes + 8 + 2;

[[noreturn]] void refuse(const std::string& rule) {
  throw Error(ErrorCode::data_loss, "the recipe breaks a rule: " + rule);
}

class Encoder {
 public:
  explicit Encoder(std::size_t size) { bytes_.reserve(size); }

  void put_number(std::uint64_t number, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) bytes_.push_back(std::byte(number >> (8 * i)));
  }
  void put_digest(const Digest& digest) {
    bytes_.insert(bytes_.end(), digest.bytes().begin(), digest.bytes().end());
  }
  std::vector<std::byte> take() { return std::move(bytes_); }

 private:
  std::vector<std::byte> bytes_;
};

class Decoder {
 public:
  explicit Decoder(std::span<const std::byte> bytes) : bytes_(bytes) {}

  std::uint64_t number(std::size_t size) {
    const auto field = take(size);
    std::uint64_t number = 0;
    for (std::size_t i = size; i-- > 0;) {
      number = number << 8 | std::to_integer<std::uint64_t>(field[i]);
    }
    return number;
  }
  Digest digest() { return Digest::from_bytes(take(Digest::kSizeBytes)); }
  std::size_t left() const { return bytes_.size(); }

 private:
  std::span<const std::byte> take(std::size_t size) {
    if (bytes_.size() < size) refuse("it is cut short");
    const auto field = bytes_.first(size);
    bytes_ = bytes_.subspan(size);
    return field;
  }

  std::span<const std::byte> bytes_;
};

void check_entries(const Recipe& recipe) {
  std::uint64_t sum = 0;
  std::size_t packs_used = 0;
  for (const auto& entry : recipe.entries) {
    if (entry.pack > packs_used + 1) refuse("a pack is named out of order");
    packs_used = std::max<std::size_t>(packs_used, entry.pack);

    if (entry.size_bytes == 0) refuse("an entry is empty");
    if (recipe.height == 0) {
      if (entry.size_bytes > kChunkSizeMax) refuse("a chunk is too large");
      if (entry.size_bytes < kChunkSizeMin && &entry != &recipe.entries.back()) {
        refuse("a chunk that is not the last one is too small");
      }
    }
    if (entry.size_bytes > kBlobSizeMax - sum) refuse("the sizes add up to too much");
    sum += entry.size_bytes;
  }
  if (packs_used != recipe.packs.size()) {
    refuse(packs_used > recipe.packs.size() ? "an entry lies in a pack that is not named"
                                            : "a pack is named and not used");
  }
}

void check_packs(std::vector<Digest> packs) {
  std::sort(packs.begin(), packs.end());
  if (std::adjacent_find(packs.begin(), packs.end()) != packs.end()) {
    refuse("a pack is named twice");
  }
}

}  // namespace

std::uint64_t Recipe::size_bytes() const {
  std::uint64_t sum = 0;
  for (const auto& entry : entries) sum += entry.size_bytes;
  return sum;
}

std::uint16_t Recipe::number_of(const Digest& pack) {
  auto known = std::find(packs.begin(), packs.end(), pack);
  if (known == packs.end()) known = packs.insert(packs.end(), pack);
  return static_cast<std::uint16_t>(known - packs.begin() + 1);
}

std::vector<std::byte> encode_recipe(const Recipe& recipe) {
  Encoder out(kHeaderSizeBytes + Digest::kSizeBytes * (1 + recipe.packs.size()) +
              kEntrySizeBytes * recipe.entries.size());
  out.put_number(kFormat, 1);
  out.put_number(recipe.height, 1);
  out.put_number(recipe.blob ? kHasBlob : 0, 1);
  out.put_number(0, 1);
  out.put_number(recipe.packs.size(), 2);
  out.put_number(recipe.entries.size(), 2);
  if (recipe.blob) out.put_digest(*recipe.blob);
  for (const Digest& pack : recipe.packs) out.put_digest(pack);
  for (const auto& entry : recipe.entries) {
    out.put_digest(entry.digest);
    out.put_number(entry.size_bytes, 8);
    out.put_number(entry.pack, 2);
  }
  return out.take();
}

Recipe decode_recipe(std::span<const std::byte> bytes) {
  Decoder in(bytes);
  if (in.number(1) != kFormat) refuse("its format is not 1");
  Recipe recipe;
  recipe.height = static_cast<std::uint8_t>(in.number(1));
  if (recipe.height > kRecipeHeightMax) refuse("it is too high");
  const std::uint64_t flags = in.number(1);
  if (flags > kHasBlob) refuse("it has unknown flags");
  if (in.number(1) != 0) refuse("its reserved byte is not zero");
  const std::size_t pack_count = in.number(2);
  const std::size_t entry_count = in.number(2);
  if (entry_count == 0 || entry_count > kRecipeEntriesMax) {
    refuse("it has " + std::to_string(entry_count) + " entries");
  }
  if (pack_count > entry_count) refuse("it names more packs than it has entries");

  if (flags == kHasBlob) recipe.blob = in.digest();
  recipe.packs.resize(pack_count);
  for (Digest& pack : recipe.packs) pack = in.digest();
  recipe.entries.resize(entry_count);
  for (auto& entry : recipe.entries) {
    entry.digest = in.digest();
    entry.size_bytes = in.number(8);
    entry.pack = static_cast<std::uint16_t>(in.number(2));
  }
  if (in.left() > 0) refuse("bytes are left over");
  check_entries(recipe);
  check_packs(recipe.packs);
  return recipe;
}

}  // namespace mendel::storage
