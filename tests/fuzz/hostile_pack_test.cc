#include "tests/fuzz/hostile_pack.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include "tests/testing/random_bytes.h"

namespace mendel::testing {
namespace {

using Bytes = std::vector<std::byte>;

// By file name, which says what is wrong with the stream, or that it is accepted.
std::map<std::string, Bytes> corpus() {
  std::map<std::string, Bytes> inputs;
  for (const auto& file : std::filesystem::directory_iterator(MENDEL_CORPUS "/pack")) {
    std::ifstream stream(file.path(), std::ios::binary);
    const std::string text(std::istreambuf_iterator<char>(stream), {});
    const auto bytes = std::as_bytes(std::span(text));
    inputs.emplace(file.path().filename(), Bytes(bytes.begin(), bytes.end()));
  }
  return inputs;
}

void overwrite(Bytes& bytes, SeededRandom& random) {
  static constexpr std::byte kValues[] = {std::byte{0}, std::byte{1}, std::byte{0x7f},
                                          std::byte{0x80}, std::byte{0xff}};
  for (std::size_t count = 1 + random.below(4); count > 0; --count) {
    bytes[random.below(bytes.size())] = kValues[random.below(std::size(kValues))];
  }
}

void repeat_a_piece(Bytes& bytes, SeededRandom& random) {
  const std::size_t from = random.below(bytes.size());
  const Bytes piece(bytes.begin() + static_cast<std::ptrdiff_t>(from),
                    bytes.begin() + static_cast<std::ptrdiff_t>(
                                        from + random.below(bytes.size() - from)));
  const auto at = static_cast<std::ptrdiff_t>(random.below(bytes.size()));
  bytes.insert(bytes.begin() + at, piece.begin(), piece.end());
}

void cut(Bytes& bytes, SeededRandom& random) {
  bytes.resize(1 + random.below(bytes.size()));
}

TEST(HostilePack, IsAcceptedExactlyIfItsNameSaysSo) {
  const auto inputs = corpus();
  ASSERT_GE(inputs.size(), 5u);
  for (const auto& [name, input] : inputs) {
    EXPECT_EQ(parse_hostile_pack(input), name.starts_with("accepted")) << name;
  }
}

TEST(HostilePack, BreaksNoPromiseHoweverItIsMutated) {
  SeededRandom random(1);
  std::size_t refused = 0;
  for (const auto& [name, input] : corpus()) {
    for (int round = 0; round < 2'000; ++round) {
      Bytes mutant = input;
      for (const auto mutate : {overwrite, repeat_a_piece, cut}) {
        if (random.below(2) == 0) mutate(mutant, random);
      }
      if (!parse_hostile_pack(mutant)) ++refused;
    }
  }
  EXPECT_GT(refused, 5'000u);
}

}  // namespace
}  // namespace mendel::testing
