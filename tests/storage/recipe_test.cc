#include "storage/recipe.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "storage/base/error.h"
#include "storage/chunker.h"

namespace mendel::storage {
namespace {

using Bytes = std::vector<std::byte>;

Digest digest(int number) { return Digest::of("digest " + std::to_string(number)); }

Recipe leaf_of(std::size_t entries) {
  Recipe recipe;
  for (std::size_t i = 0; i < entries; ++i) {
    recipe.entries.push_back({digest(static_cast<int>(i)), kChunkSizeMin + i, 0});
  }
  return recipe;
}

// Returns the rule that the bytes break.
std::string refusal_of(const Bytes& bytes) {
  try {
    decode_recipe(bytes);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::data_loss);
    return std::string(error.what())
        .substr(std::string("the recipe breaks a rule: ").size());
  }
  return "accepted";
}

std::string refusal_of(const Recipe& recipe) { return refusal_of(encode_recipe(recipe)); }

std::string hex(const Bytes& bytes) {
  std::string text;
  for (const std::byte b : bytes) {
    text += "0123456789abcdef"[std::to_integer<unsigned>(b) >> 4];
    text += "0123456789abcdef"[std::to_integer<unsigned>(b) & 15];
  }
  return text;
}

// The bytes are a part of format version 1.
TEST(Recipe, HasTheBytesThatTheFormatSays) {
  Recipe recipe;
  recipe.height = 0;
  recipe.blob = digest(1);
  recipe.entries = {{digest(2), 0x1ABCD, 0}, {digest(3), 7, recipe.number_of(digest(4))}};
  EXPECT_EQ(hex(encode_recipe(recipe)),
            "01000100"
            "01000200" +
                digest(1).hex() + digest(4).hex() + digest(2).hex() +
                "cdab010000000000"
                "0000" +
                digest(3).hex() +
                "0700000000000000"
                "0100");
}

TEST(Recipe, ComesBackFromItsBytes) {
  std::mt19937 random(42);
  for (int round = 0; round < 200; ++round) {
    Recipe recipe = leaf_of(1 + random() % kRecipeEntriesMax);
    for (auto& entry : recipe.entries) {
      if (const int pack = random() % 5; pack > 0)
        entry.pack = recipe.number_of(digest(-pack));
    }
    recipe.height = random() % (kRecipeHeightMax + 1);
    if (random() % 2) recipe.blob = digest(round);
    ASSERT_EQ(decode_recipe(encode_recipe(recipe)), recipe);
  }
}

TEST(Recipe, NumbersEachPackOnce) {
  Recipe recipe;
  EXPECT_EQ(recipe.number_of(digest(1)), 1);
  EXPECT_EQ(recipe.number_of(digest(2)), 2);
  EXPECT_EQ(recipe.number_of(digest(1)), 1);
}

TEST(Recipe, RefusesEveryTruncationAndExtension) {
  Recipe recipe = leaf_of(3);
  recipe.blob = digest(9);
  recipe.entries[1].pack = recipe.number_of(digest(8));
  Bytes bytes = encode_recipe(recipe);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    ASSERT_EQ(refusal_of(Bytes(bytes.begin(), bytes.begin() + size)), "it is cut short")
        << size;
  }
  bytes.push_back(std::byte{0});
  EXPECT_EQ(refusal_of(bytes), "bytes are left over");
}

TEST(Recipe, RefusesUnknownHeaders) {
  const Bytes good = encode_recipe(leaf_of(1));
  Bytes bad = good;
  bad[0] = std::byte{2};
  EXPECT_EQ(refusal_of(bad), "its format is not 1");
  bad = good;
  bad[1] = std::byte{kRecipeHeightMax + 1};
  EXPECT_EQ(refusal_of(bad), "it is too high");
  bad = good;
  bad[2] = std::byte{2};
  EXPECT_EQ(refusal_of(bad), "it has unknown flags");
  bad = good;
  bad[3] = std::byte{1};
  EXPECT_EQ(refusal_of(bad), "its reserved byte is not zero");
}

TEST(Recipe, RefusesCountsOutsideTheirLimits) {
  EXPECT_EQ(refusal_of(Recipe{}), "it has 0 entries");
  EXPECT_EQ(refusal_of(leaf_of(kRecipeEntriesMax)), "accepted");
  EXPECT_EQ(refusal_of(leaf_of(kRecipeEntriesMax + 1)), "it has 513 entries");
  Recipe recipe = leaf_of(1);
  recipe.packs = {digest(1), digest(2)};
  EXPECT_EQ(refusal_of(recipe), "it names more packs than it has entries");
}

TEST(Recipe, RefusesPackNumbersOutsideItsTable) {
  Recipe recipe = leaf_of(2);
  recipe.entries[1].pack = 1;
  EXPECT_EQ(refusal_of(recipe), "an entry lies in a pack that is not named");
  recipe.packs = {digest(1)};
  EXPECT_EQ(refusal_of(recipe), "accepted");
  recipe.entries[0].pack = 2;
  EXPECT_EQ(refusal_of(recipe), "a pack is named out of order");
  recipe.entries[0].pack = 0;
  recipe.entries[1].pack = 0;
  EXPECT_EQ(refusal_of(recipe), "a pack is named and not used");
  recipe.packs = {digest(1), digest(1)};
  recipe.entries[0].pack = 1;
  recipe.entries[1].pack = 2;
  EXPECT_EQ(refusal_of(recipe), "a pack is named twice");
}

TEST(Recipe, RefusesSizesThatNoChunkHas) {
  Recipe recipe = leaf_of(2);
  recipe.entries[0].size_bytes = 0;
  EXPECT_EQ(refusal_of(recipe), "an entry is empty");
  recipe.entries[0].size_bytes = kChunkSizeMin - 1;
  EXPECT_EQ(refusal_of(recipe), "a chunk that is not the last one is too small");
  recipe.entries[0].size_bytes = kChunkSizeMax + 1;
  EXPECT_EQ(refusal_of(recipe), "a chunk is too large");
  recipe.entries[0].size_bytes = kChunkSizeMax;
  recipe.entries[1].size_bytes = 1;
  EXPECT_EQ(refusal_of(recipe), "accepted");
}

TEST(Recipe, RefusesSizesThatOverflow) {
  Recipe recipe = leaf_of(3);
  recipe.height = 1;
  recipe.entries[0].size_bytes = kBlobSizeMax - 2;
  recipe.entries[1].size_bytes = 1;
  recipe.entries[2].size_bytes = 1;
  EXPECT_EQ(refusal_of(recipe), "accepted");
  recipe.entries[2].size_bytes = ~0ull;
  EXPECT_EQ(refusal_of(recipe), "the sizes add up to too much");
}

}  // namespace
}  // namespace mendel::storage
