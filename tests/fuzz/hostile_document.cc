#include "tests/fuzz/hostile_document.h"

#include <algorithm>
#include <cstdlib>

#include "registry/services/metric_points.h"
#include "storage/base/error.h"
#include "storage/manifest.h"
#include "storage/recipe.h"

namespace mendel::testing {

namespace {

void require(bool promise) {
  if (!promise) std::abort();
}

// Returns whether decoding came to its end.
template <typename Decode>
bool accepts(ErrorCode refusal, Decode decode) {
  try {
    decode();
    return true;
  } catch (const Error& error) {
    require(error.code() == refusal);
    return false;
  }
}

}  // namespace

bool decode_hostile_recipe(std::span<const std::byte> input) {
  return accepts(ErrorCode::data_loss, [&] {
    const auto recipe = storage::decode_recipe(input);
    require(recipe.height <= storage::kRecipeHeightMax);
    require(recipe.size_bytes() <= storage::kBlobSizeMax);
    for (const auto& entry : recipe.entries) require(entry.pack <= recipe.packs.size());
    require(std::ranges::equal(storage::encode_recipe(recipe), input));
  });
}

bool decode_hostile_manifest(std::span<const std::byte> input) {
  return accepts(ErrorCode::unprocessable, [&] {
    auto manifest = storage::decode_manifest(as_text(input));
    for (const auto& file : manifest.files) require(!storage::path_problem(file.path));
    storage::normalise(manifest);
    require(storage::encode_manifest(manifest) == as_text(input));
  });
}

bool decode_hostile_points(std::span<const std::byte> input) {
  return accepts(ErrorCode::data_loss, [&] {
    const auto points = registry::decode_points(input);
    for (const auto& point : points) require(point.name_id >= 0);
    require(std::ranges::equal(registry::encode_points(points), input));
  });
}

}  // namespace mendel::testing
