#include "storage/pack.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "storage/chunker.h"
#include "storage/memory_object_store.h"
#include "storage/object_keys.h"
#include "tests/testing/random_bytes.h"
#include "tests/testing/vector_sink.h"

namespace mendel::storage {
namespace {

using ::testing::HasSubstr;
using testing::random_bytes;
using testing::VectorSink;
using Bytes = std::vector<std::byte>;

struct Content {
  RecordType type;
  Bytes raw;

  friend bool operator==(const Content&, const Content&) = default;
};

Bytes text_bytes(std::size_t size) {
  std::string text;
  for (int i = 0; text.size() < size; ++i)
    text += "{\"track\": " + std::to_string(i) + "}\n";
  const auto bytes = as_bytes(std::string_view(text).substr(0, size));
  return {bytes.begin(), bytes.end()};
}

const std::vector<Content>& mixed_contents() {
  static const std::vector<Content> contents = {
      {RecordType::manifest, text_bytes(300'000)},
      {RecordType::recipe, random_bytes(5'000, 1)},
      {RecordType::chunk, random_bytes(kChunkSizeMax, 2)},
      {RecordType::chunk, text_bytes(kChunkSizeMax)},
      {RecordType::blob, {}},
      {RecordType::blob, random_bytes(1, 3)},
  };
  return contents;
}

struct WrittenPack {
  Bytes bytes;
  PackIndex index;
};

WrittenPack write_pack(const std::vector<Content>& contents) {
  VectorSink sink;
  PackWriter writer(sink);
  for (const auto& [type, raw] : contents) writer.add(type, Digest::of(raw), raw);
  const std::uint64_t size_foretold = writer.size_bytes();
  PackIndex index = writer.finish();
  EXPECT_EQ(sink.bytes.size(), size_foretold);
  EXPECT_EQ(index.pack_size_bytes(), size_foretold);
  return {std::move(sink.bytes), std::move(index)};
}

struct Recorder : PackParser::Visitor {
  void pack_bytes(std::span<const std::byte> data) override {
    bytes.insert(bytes.end(), data.begin(), data.end());
  }
  void record(const RecordHeader& header, std::span<const std::byte> raw) override {
    contents.push_back({header.type, Bytes(raw.begin(), raw.end())});
    bytes_at_record.push_back(bytes.size());
  }
  void pack_end(PackIndex index) override {
    packs.push_back(std::move(index));
    bytes_at_pack_end.push_back(bytes.size());
  }

  Bytes bytes;
  std::vector<Content> contents;
  std::vector<PackIndex> packs;
  std::vector<std::size_t> bytes_at_record;
  std::vector<std::size_t> bytes_at_pack_end;
};

Recorder parse(std::span<const std::byte> stream, std::size_t piece_size) {
  Recorder recorder;
  PackParser parser(recorder, ErrorCode::unprocessable);
  for (; !stream.empty(); stream = stream.subspan(std::min(piece_size, stream.size()))) {
    parser.append(stream.first(std::min(piece_size, stream.size())));
  }
  parser.finish();
  return recorder;
}

std::string problem_of(std::span<const std::byte> stream) {
  try {
    parse(stream, stream.size() + 1);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unprocessable);
    return error.what();
  }
  return "";
}

void put_u32(Bytes& bytes, std::size_t at, std::uint32_t value) {
  for (std::size_t i = 0; i < 4; ++i)
    bytes[at + i] = static_cast<std::byte>(value >> 8 * i);
}

class PackParserPieces : public ::testing::TestWithParam<std::size_t> {};

TEST_P(PackParserPieces, HandsOutWhatTheWriterWasGiven) {
  const WrittenPack pack = write_pack(mixed_contents());
  const Recorder seen = parse(pack.bytes, GetParam());
  EXPECT_TRUE(seen.contents == mixed_contents());
  EXPECT_EQ(seen.bytes, pack.bytes);
  ASSERT_EQ(seen.packs.size(), 1u);
  EXPECT_EQ(seen.packs[0].name(), pack.index.name());
  EXPECT_EQ(seen.packs[0].pack_size_bytes(), pack.bytes.size());
}

TEST_P(PackParserPieces, TakesSeveralPacksThatFollowEachOther) {
  const WrittenPack first = write_pack({{RecordType::chunk, random_bytes(20'000, 1)}});
  const WrittenPack second = write_pack({{RecordType::blob, random_bytes(100, 2)}});
  Bytes stream = first.bytes;
  stream.insert(stream.end(), second.bytes.begin(), second.bytes.end());

  const Recorder seen = parse(stream, GetParam());

  ASSERT_EQ(seen.packs.size(), 2u);
  EXPECT_EQ(seen.packs[0].name(), first.index.name());
  EXPECT_EQ(seen.packs[1].name(), second.index.name());
  EXPECT_EQ(seen.bytes_at_pack_end[0], first.bytes.size());
  EXPECT_EQ(seen.bytes_at_pack_end[1], stream.size());
}

TEST_P(PackParserPieces, HandsOutARecordsBytesBeforeTheRecordAndNoneOfTheNext) {
  const WrittenPack pack = write_pack(mixed_contents());
  const Recorder seen = parse(pack.bytes, GetParam());
  ASSERT_EQ(seen.bytes_at_record.size(), pack.index.records().size());
  for (std::size_t i = 0; i < seen.bytes_at_record.size(); ++i) {
    const RecordLocation& location = pack.index.records()[i];
    EXPECT_EQ(seen.bytes_at_record[i], location.offset + location.header.stored_size_bytes);
  }
}

INSTANTIATE_TEST_SUITE_P(OfAnySize, PackParserPieces,
                         ::testing::Values(1, 7, 47, 48, 65'536, 1 << 20));

TEST(PackParser, TakesAnEmptyStream) { EXPECT_TRUE(parse({}, 1).packs.empty()); }

TEST(PackParser, NoticesEveryFlippedBit) {
  const WrittenPack pack = write_pack(
      {{RecordType::manifest, text_bytes(400)}, {RecordType::chunk, random_bytes(100, 1)}});
  for (std::size_t bit = 0; bit < 8 * pack.bytes.size(); ++bit) {
    Bytes damaged = pack.bytes;
    damaged[bit / 8] ^= std::byte{1} << bit % 8;
    EXPECT_NE(problem_of(damaged), "") << "bit " << bit;
  }
}

TEST(PackParser, NoticesAnEndAnywhereInsideAPack) {
  const WrittenPack pack = write_pack({{RecordType::blob, random_bytes(100, 1)}});
  for (std::size_t size = 1; size < pack.bytes.size(); ++size) {
    EXPECT_THAT(problem_of(std::span(pack.bytes).first(size)), HasSubstr("stream ends"));
  }
}

TEST(PackParser, NoticesWhatFollowsAPackAndIsNone) {
  WrittenPack pack = write_pack({{RecordType::blob, random_bytes(100, 1)}});
  pack.bytes.resize(pack.bytes.size() + 16);
  EXPECT_THAT(problem_of(pack.bytes), HasSubstr("not the header of a pack"));
}

TEST(PackParser, SaysInWhichPackAndWhere) {
  const WrittenPack pack = write_pack({{RecordType::blob, random_bytes(100, 1)}});
  Bytes stream = pack.bytes;
  stream.insert(stream.end(), pack.bytes.begin(), pack.bytes.end());
  stream[pack.bytes.size() + 16 + 48] ^= std::byte{1};
  EXPECT_EQ(problem_of(stream),
            "pack 2 of the stream, byte 16: the record's checksum differs");
}

// The header of the first record lies at byte 16: type, codec, reserved, checksum at 4, raw
// size at 8, stored size at 12.
TEST(PackParser, RefusesRecordHeadersThatBreakARule) {
  const Bytes good = write_pack({{RecordType::chunk, text_bytes(1'000)}}).bytes;
  const auto with = [&](std::size_t at, std::uint32_t value) {
    Bytes bytes = good;
    put_u32(bytes, 16 + at, value);
    return bytes;
  };
  EXPECT_THAT(problem_of(with(0, 0x0100)), HasSubstr("unknown type"));
  EXPECT_THAT(problem_of(with(0, 0x0105)), HasSubstr("unknown type"));
  EXPECT_THAT(problem_of(with(0, 0x0201)), HasSubstr("unknown codec"));
  EXPECT_THAT(problem_of(with(0, 0x10101)), HasSubstr("reserved"));
  EXPECT_THAT(problem_of(with(0, 0x0001)), HasSubstr("its two sizes differ"));
  EXPECT_THAT(problem_of(with(8, kChunkSizeMax + 1)), HasSubstr("larger than its type"));
  EXPECT_THAT(problem_of(with(12, 1'000)), HasSubstr("not smaller than raw"));
  EXPECT_THAT(problem_of(with(12, 0xffffffff)), HasSubstr("not smaller than raw"));
  EXPECT_THAT(problem_of(with(8, 1'001)), HasSubstr("does not decompress"));
  EXPECT_THAT(problem_of(with(16, 0)), HasSubstr("SHA-256 differs"));
}

TEST(PackParser, RefusesAPackWithoutRecords) {
  Bytes pack = write_pack({{RecordType::blob, {}}}).bytes;
  pack.erase(pack.begin() + 16, pack.begin() + 16 + 48);
  EXPECT_THAT(problem_of(pack), HasSubstr("no records"));
}

TEST(PackParser, ThrowsWithTheCodeItWasTold) {
  Recorder recorder;
  PackParser parser(recorder, ErrorCode::data_loss);
  try {
    parser.append(random_bytes(100, 1));
    FAIL() << "noise is no pack";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::data_loss);
  }
}

TEST(PackWriter, SkipsWhatItHasUnderTheSameType) {
  const Bytes raw = random_bytes(100, 1);
  VectorSink sink;
  PackWriter writer(sink);
  writer.add(RecordType::chunk, Digest::of(raw), raw);
  writer.add(RecordType::chunk, Digest::of(raw), raw);
  EXPECT_EQ(writer.record_count(), 1u);
  EXPECT_TRUE(writer.contains(RecordType::chunk, Digest::of(raw)));
  EXPECT_FALSE(writer.contains(RecordType::blob, Digest::of(raw)));
  writer.add(RecordType::blob, Digest::of(raw), raw);
  EXPECT_EQ(writer.record_count(), 2u);
}

TEST(PackWriter, RefusesARecordLargerThanItsType) {
  VectorSink sink;
  PackWriter writer(sink);
  for (const RecordType type : {RecordType::chunk, RecordType::blob, RecordType::recipe}) {
    const Bytes raw(raw_size_max(type) + 1);
    try {
      writer.add(type, Digest::of(raw), raw);
      FAIL() << "type " << static_cast<int>(type);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::too_large);
    }
  }
}

TEST(PackWriter, StopsAtTheRecordsThatAPackMayHave) {
  VectorSink sink;
  PackWriter writer(sink);
  const auto add = [&](std::size_t i) {
    const std::string raw = std::to_string(i);
    writer.add(RecordType::blob, Digest::of(raw), as_bytes(raw));
  };
  for (std::size_t i = 0; i < kPackRecordsMax; ++i) add(i);
  EXPECT_THROW(add(kPackRecordsMax), Error);

  const PackIndex index = writer.finish();
  EXPECT_EQ(parse(sink.bytes, 1 << 20).packs.at(0).name(), index.name());
}

class StoredPack : public ::testing::Test {
 protected:
  void store(const WrittenPack& pack) { store(pack.index.name(), pack.bytes); }
  void store(const Digest& name, std::span<const std::byte> bytes) {
    objects.remove(pack_key(name));
    const auto writer = objects.create();
    writer->append(bytes);
    writer->commit(pack_key(name));
  }

  Bytes read(const PackIndex& index, const RecordLocation& location) {
    Bytes raw(location.header.raw_size_bytes);
    Bytes scratch;
    read_record(objects, index.name(), location, scratch, raw);
    return raw;
  }

  MemoryObjectStore objects;
};

using PackIndexTest = StoredPack;

TEST_F(PackIndexTest, ComesBackFromTheEndOfTheObject) {
  const WrittenPack pack = write_pack(mixed_contents());
  store(pack);
  const PackIndex index = read_pack_index(objects, pack.index.name());
  EXPECT_EQ(index.name(), pack.index.name());
  EXPECT_EQ(index.pack_size_bytes(), pack.bytes.size());
  ASSERT_EQ(index.records().size(), mixed_contents().size());
  for (std::size_t i = 0; i < index.records().size(); ++i) {
    EXPECT_EQ(index.records()[i].header, pack.index.records()[i].header);
    EXPECT_EQ(read(index, index.records()[i]), mixed_contents()[i].raw);
  }
}

TEST_F(PackIndexTest, ComesBackWhenItIsLargerThanTheFirstRead) {
  std::vector<Content> contents;
  for (std::uint64_t i = 0; i < 3'000; ++i) {
    contents.push_back({RecordType::blob, random_bytes(8, i)});
  }
  const WrittenPack pack = write_pack(contents);
  store(pack);
  const PackIndex index = read_pack_index(objects, pack.index.name());
  ASSERT_EQ(index.records().size(), 3'000u);
  EXPECT_EQ(index.records()[2'999].offset, pack.index.records()[2'999].offset);
  for (const auto& [type, raw] : contents) {
    ASSERT_NE(index.find(type, Digest::of(raw)), nullptr);
  }
}

TEST_F(PackIndexTest, FindsAChunkAsBlobAndABlobAsChunkButNothingAsAnotherType) {
  const Bytes raw = random_bytes(100, 1);
  const Digest digest = Digest::of(raw);
  for (const RecordType type : {RecordType::chunk, RecordType::blob}) {
    const WrittenPack pack = write_pack({{type, raw}});
    EXPECT_NE(pack.index.find(RecordType::chunk, digest), nullptr);
    EXPECT_NE(pack.index.find(RecordType::blob, digest), nullptr);
    EXPECT_EQ(pack.index.find(RecordType::recipe, digest), nullptr);
    EXPECT_EQ(pack.index.find(RecordType::blob, Digest::of("other")), nullptr);
  }
}

TEST_F(PackIndexTest, FindsEachOfSeveralTypesOfTheSameBytes) {
  const Bytes raw = random_bytes(100, 1);
  const WrittenPack pack =
      write_pack({{RecordType::recipe, raw}, {RecordType::manifest, raw}});
  for (const RecordType type : {RecordType::recipe, RecordType::manifest}) {
    ASSERT_NE(pack.index.find(type, Digest::of(raw)), nullptr);
    EXPECT_EQ(pack.index.find(type, Digest::of(raw))->header.type, type);
  }
}

TEST_F(PackIndexTest, IsNotFoundWithoutItsObject) {
  try {
    read_pack_index(objects, Digest::of("no pack"));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::not_found);
  }
}

TEST_F(PackIndexTest, IsDataLossWhenAnyBitOfItFlippedOrItWasCut) {
  const WrittenPack pack = write_pack(
      {{RecordType::blob, random_bytes(50, 1)}, {RecordType::chunk, random_bytes(60, 2)}});
  const auto expect_data_loss = [&](std::span<const std::byte> bytes) {
    store(pack.index.name(), bytes);
    try {
      read_pack_index(objects, pack.index.name());
      ADD_FAILURE() << "damage was not noticed";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::data_loss);
    }
  };
  const std::size_t tail_at = 16 + 48 + 50 + 48 + 60;
  for (std::size_t bit = 8 * tail_at; bit < 8 * pack.bytes.size(); ++bit) {
    Bytes damaged = pack.bytes;
    damaged[bit / 8] ^= std::byte{1} << bit % 8;
    expect_data_loss(damaged);
  }
  for (std::size_t size = 0; size < pack.bytes.size(); ++size) {
    expect_data_loss(std::span(pack.bytes).first(size));
  }
  Bytes longer = pack.bytes;
  longer.insert(longer.begin(), std::byte{});
  expect_data_loss(longer);
}

TEST_F(PackIndexTest, IsDataLossUnderAnotherName) {
  const WrittenPack pack = write_pack({{RecordType::blob, random_bytes(50, 1)}});
  store(Digest::of("another"), pack.bytes);
  EXPECT_THROW(read_pack_index(objects, Digest::of("another")), Error);
}

TEST_F(StoredPack, ARecordWhoseBytesRottedIsDataLoss) {
  for (const Bytes& raw : {random_bytes(1'000, 1), text_bytes(1'000)}) {
    WrittenPack pack = write_pack({{RecordType::chunk, raw}});
    const RecordLocation location = pack.index.records()[0];
    pack.bytes[location.offset + 10] ^= std::byte{4};
    store(pack);
    try {
      read(pack.index, location);
      FAIL() << "damage was not noticed";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::data_loss);
      EXPECT_THAT(error.what(), HasSubstr(pack.index.name().hex()));
    }
  }
}

TEST_F(StoredPack, ARecordBeyondTheEndOfItsObjectIsDataLoss) {
  const WrittenPack pack = write_pack({{RecordType::chunk, random_bytes(1'000, 1)}});
  store(pack.index.name(), std::span(pack.bytes).first(500));
  EXPECT_THROW(read(pack.index, pack.index.records()[0]), Error);
}

}  // namespace
}  // namespace mendel::storage
