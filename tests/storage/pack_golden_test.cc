// Packs that were written once must be readable for ever: tests/data/pack-v1.mendelpack was
// written by the first release. MENDEL_TEST_ACCEPT=1 writes it anew, which only a new
// format version has a reason to do.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "storage/pack.h"
#include "tests/testing/random_bytes.h"
#include "tests/testing/vector_sink.h"

namespace mendel::storage {
namespace {

using Bytes = std::vector<std::byte>;

const std::string kGoldenPath = MENDEL_TEST_DATA "/pack-v1.mendelpack";
const std::string kGoldenName =
    "a422134677a2c1c1b96c5c61d1372e9c17ae614e06ffad42abe727ef90cd85bd";

struct Content {
  RecordType type;
  Codec codec;
  Bytes raw;

  friend bool operator==(const Content&, const Content&) = default;
};

Bytes text_bytes(std::string_view line, int times) {
  Bytes bytes;
  for (int i = 0; i < times; ++i) {
    bytes.insert(bytes.end(), as_bytes(line).begin(), as_bytes(line).end());
  }
  return bytes;
}

// The raw ones come first.
std::vector<Content> golden_contents() {
  return {
      {RecordType::blob, Codec::raw, text_bytes("abc", 1)},
      {RecordType::blob, Codec::raw, {}},
      {RecordType::chunk, Codec::raw, testing::random_bytes(300, 1)},
      {RecordType::recipe, Codec::raw, testing::random_bytes(100, 2)},
      {RecordType::manifest, Codec::raw, text_bytes(R"({"kind":"model"})", 1)},
      {RecordType::blob, Codec::zstd, text_bytes("double eta = 3.0;\n", 20)},
      {RecordType::chunk, Codec::zstd, text_bytes("P 1 211 0.5 0.25 10\n", 50)},
      {RecordType::recipe, Codec::zstd, Bytes(200)},
      {RecordType::manifest, Codec::zstd, text_bytes(R"({"path":"a"},)", 30)},
  };
}

Bytes write_golden_contents() {
  testing::VectorSink sink;
  PackWriter writer(sink);
  for (const Content& content : golden_contents()) {
    writer.add(content.type, Digest::of(content.raw), content.raw);
  }
  writer.finish();
  return std::move(sink.bytes);
}

Bytes golden_bytes() {
  std::ifstream file(kGoldenPath, std::ios::binary);
  const std::string text(std::istreambuf_iterator<char>(file), {});
  return {as_bytes(text).begin(), as_bytes(text).end()};
}

struct Reader : PackParser::Visitor {
  explicit Reader(std::span<const std::byte> bytes) {
    PackParser parser(*this, ErrorCode::data_loss);
    parser.append(bytes);
    parser.finish();
  }

  void pack_bytes(std::span<const std::byte>) override {}
  void record(const RecordHeader& header, std::span<const std::byte> raw) override {
    contents.push_back({header.type, header.codec, Bytes(raw.begin(), raw.end())});
  }
  void pack_end(PackIndex index) override { packs.push_back(std::move(index)); }

  std::vector<Content> contents;
  std::vector<PackIndex> packs;
};

class GoldenPack : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (std::getenv("MENDEL_TEST_ACCEPT") == nullptr) return;
    const Bytes bytes = write_golden_contents();
    std::ofstream(kGoldenPath, std::ios::binary) << as_text(bytes);
  }
};

TEST_F(GoldenPack, IsRead) {
  const Reader golden(golden_bytes());
  EXPECT_TRUE(golden.contents == golden_contents());
  ASSERT_EQ(golden.packs.size(), 1u);
  EXPECT_EQ(golden.packs[0].name().hex(), kGoldenName);
}

// Another version of zstd may compress to other bytes, all of which decompress to the same.
// So what stands before the first compressed record is compared byte by byte, and the rest
// by what it holds; that index and trailer follow from the records is what the reader
// checks.
TEST_F(GoldenPack, IsWhatTheWriterWrites) {
  const Bytes golden = golden_bytes();
  const Bytes written = write_golden_contents();
  const Reader reader(golden);
  EXPECT_TRUE(Reader(written).contents == reader.contents);

  const std::uint64_t compressed_at = reader.packs.at(0).records()[5].offset - 48;
  ASSERT_EQ(reader.contents[4].codec, Codec::raw);
  ASSERT_EQ(reader.contents[5].codec, Codec::zstd);
  EXPECT_TRUE(std::ranges::equal(std::span(golden).first(compressed_at),
                                 std::span(written).first(compressed_at)));
}

}  // namespace
}  // namespace mendel::storage
