#include "storage/codec.h"

#include <gtest/gtest.h>

#include <string>

#include "storage/base/digest.h"
#include "storage/base/error.h"
#include "tests/testing/random_bytes.h"

namespace mendel::storage {
namespace {

using testing::random_bytes;
using Bytes = std::vector<std::byte>;

Bytes json_bytes(std::size_t size) {
  testing::SeededRandom random(1);
  std::string text;
  while (text.size() < size) {
    text += "{\"p\": " + std::to_string(random.below(100'000)) +
            ", \"eta\": " + std::to_string(random.below(500)) + "},\n";
  }
  const auto bytes = as_bytes(std::string_view(text).substr(0, size));
  return {bytes.begin(), bytes.end()};
}

Bytes joined(Bytes first, const Bytes& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

Bytes round_trip(Compressor& compressor, const Bytes& raw) {
  const auto [codec, stored] = compressor.compress(raw);
  Bytes back(raw.size());
  decompress(codec, stored, back);
  return back;
}

TEST(Compressor, GivesBackWhatItWasGiven) {
  Compressor compressor;
  for (const std::size_t size : {0, 1, 100, 5'000, 65'536, 262'144, 3'000'000}) {
    EXPECT_EQ(round_trip(compressor, json_bytes(size)), json_bytes(size));
    EXPECT_EQ(round_trip(compressor, random_bytes(size, 1)), random_bytes(size, 1));
    EXPECT_EQ(round_trip(compressor, Bytes(size)), Bytes(size));
  }
}

TEST(Compressor, KeepsNoiseWhereItLies) {
  Compressor compressor;
  const Bytes noise = random_bytes(65'536, 1);
  const auto [codec, stored] = compressor.compress(noise);
  EXPECT_EQ(codec, Codec::raw);
  EXPECT_EQ(stored.data(), noise.data());
}

TEST(Compressor, ShrinksText) {
  Compressor compressor;
  const Bytes text = json_bytes(65'536);
  EXPECT_LT(compressor.compress(text).stored.size(), text.size() / 3);
}

TEST(Compressor, ShrinksTextThatLiesBetweenNoise) {
  Compressor compressor;
  const Bytes text = json_bytes(20'000);
  for (const Bytes& mixed :
       {joined(text, random_bytes(45'000, 1)), joined(random_bytes(45'000, 1), text),
        joined(joined(random_bytes(20'000, 1), text), random_bytes(25'000, 2))}) {
    EXPECT_LT(compressor.compress(mixed).stored.size(), mixed.size() * 85 / 100);
  }
}

TEST(Compressor, ShrinksNoiseThatRepeats) {
  Compressor compressor;
  const Bytes noise = random_bytes(30'000, 1);
  EXPECT_LT(compressor.compress(joined(noise, noise)).stored.size(), 32'000u);
}

TEST(Compressor, ShrinksBytesOfFewBits) {
  Compressor compressor;
  Bytes quantised = random_bytes(65'536, 1);
  for (std::byte& b : quantised) b &= std::byte{0x1f};
  EXPECT_LT(compressor.compress(quantised).stored.size(), quantised.size() * 7 / 10);
}

TEST(Compressor, ShrinksAShortTextAtTheEndOfALargeNoise) {
  Compressor compressor;
  const Bytes mixed = joined(random_bytes(40'000, 1), json_bytes(10'000));
  EXPECT_EQ(compressor.compress(mixed).codec, Codec::zstd);
}

TEST(Compressor, KeepsWeightsOf32BitsWhereTheyLie) {
  testing::SeededRandom random(1);
  std::vector<float> weights(16'384);
  for (float& weight : weights) {
    float sum = 0;
    for (int i = 0; i < 12; ++i) sum += static_cast<float>(random.below(1'000'000)) / 1e6f;
    weight = (sum - 6) / 20;  // nearly Gaussian, as trained weights are
  }
  Compressor compressor;
  EXPECT_EQ(compressor.compress(std::as_bytes(std::span(weights))).codec, Codec::raw);
}

TEST(Decompress, SaysDataLossForWhatIsNotOneFrameOfExactlyThatSize) {
  Compressor compressor;
  const Bytes raw = json_bytes(10'000);
  const auto result = compressor.compress(raw);
  const Bytes stored(result.stored.begin(), result.stored.end());
  const auto expect_data_loss = [](Codec codec, const Bytes& stored, std::size_t raw_size) {
    Bytes back(raw_size);
    try {
      decompress(codec, stored, back);
      ADD_FAILURE() << "damage was not noticed";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::data_loss);
    }
  };
  expect_data_loss(Codec::zstd, stored, raw.size() - 1);
  expect_data_loss(Codec::zstd, stored, raw.size() + 1);
  expect_data_loss(Codec::zstd, Bytes(stored.begin(), stored.end() - 1), raw.size());
  expect_data_loss(Codec::zstd, joined(stored, stored), raw.size());
  expect_data_loss(Codec::zstd, joined(stored, Bytes(1)), raw.size());
  expect_data_loss(Codec::zstd, raw, raw.size());
  expect_data_loss(Codec::zstd, {}, raw.size());
  expect_data_loss(Codec::raw, raw, raw.size() + 1);
}

}  // namespace
}  // namespace mendel::storage
