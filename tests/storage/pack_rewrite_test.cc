#include "storage/pack_rewrite.h"

#include <gtest/gtest.h>

#include "storage/blob_reader.h"
#include "storage/memory_object_store.h"
#include "storage/object_keys.h"
#include "storage/record_reader.h"
#include "tests/testing/depot.h"
#include "tests/testing/random_bytes.h"
#include "tests/testing/vector_sink.h"

namespace mendel::storage {
namespace {

using testing::Depot;
using testing::random_bytes;
using testing::VectorSink;

constexpr std::size_t kMiB = 1 << 20;

struct PackRewrite : ::testing::Test {
  void store(const Digest& name, std::span<const std::byte> bytes) {
    const auto object = objects.create();
    object->append(bytes);
    object->commit(pack_key(name));
  }

  // Writes the pack anew without the blob record, and takes the old one away.
  Digest replace(PackCache& packs, const Digest& name, const Digest& without) {
    const auto keep = [&](const RecordHeader& header) { return header.digest != without; };
    VectorSink sink;
    const auto successor = rewrite_pack(objects, *packs.index(name), keep, sink);
    store(successor->name(), sink.bytes);
    write_successor(objects, name, successor->name());
    objects.remove(pack_key(name));
    return successor->name();
  }

  MemoryObjectStore objects;
  Depot depot{objects};
  const std::vector<std::byte> large = random_bytes(5 * kMiB, 1);
  const std::vector<std::byte> small = random_bytes(500, 2);
  const std::vector<std::byte> other = random_bytes(600, 3);
};

TEST_F(PackRewrite, CopiesWhatIsKeptInItsOrder) {
  depot.push({large, small, other});
  const Digest name = depot.location(Digest::of(small)).pack;
  const auto before = depot.packs().index(name);
  const Digest after = replace(depot.packs(), name, Digest::of(small));

  std::vector<RecordHeader> expected;
  for (const auto& record : before->records()) {
    if (record.header.digest != Digest::of(small)) expected.push_back(record.header);
  }
  std::vector<RecordHeader> found;
  const PackIndex index = read_pack_index(objects, after);
  for (const auto& record : index.records()) found.push_back(record.header);
  EXPECT_EQ(found, expected);
}

TEST_F(PackRewrite, WritesNothingWhereNothingIsKept) {
  depot.push({small});
  const auto index = depot.packs().index(depot.location(Digest::of(small)).pack);
  VectorSink sink;
  EXPECT_FALSE(rewrite_pack(
      objects, *index, [](const RecordHeader&) { return false; }, sink));
  EXPECT_TRUE(sink.bytes.empty());
}

TEST_F(PackRewrite, ReadersFindTheSuccessorUnderTheOldName) {
  depot.push({large, small, other});
  const Digest name = depot.location(Digest::of(small)).pack;
  const auto location = depot.location(Digest::of(large));
  PackCache knowing(objects, 1 << 20);
  knowing.index(name);  // has the old index, and will not find its pack
  RecordReader reader(knowing);
  reader.read(name, RecordType::blob, Digest::of(other));

  const Digest first = replace(depot.packs(), name, Digest::of(small));
  EXPECT_EQ(reader.read(name, RecordType::blob, Digest::of(other)), other);
  EXPECT_EQ(knowing.index(name)->name(), first);
  EXPECT_NO_THROW(verify_blob(knowing, location));

  const Digest second = replace(knowing, first, Digest::of(other));
  PackCache fresh(objects, 1 << 20);
  for (PackCache* packs : {&knowing, &fresh}) {
    EXPECT_NO_THROW(verify_blob(*packs, location));
    EXPECT_EQ(packs->index(name)->name(), second);
    EXPECT_THROW(packs->read(name, RecordType::blob, Digest::of(other)), Error);
  }
}

TEST_F(PackRewrite, APackThatCameAgainIsReadAgain) {
  depot.push({large, small});
  const Digest name = depot.location(Digest::of(small)).pack;
  std::vector<std::byte> bytes(objects.find(pack_key(name))->size_bytes);
  objects.read(pack_key(name), 0, bytes);
  replace(depot.packs(), name, Digest::of(small));
  PackCache packs(objects, 1 << 20);
  EXPECT_THROW(packs.read(name, RecordType::blob, Digest::of(small)), Error);

  store(name, bytes);
  EXPECT_EQ(packs.read(name, RecordType::blob, Digest::of(small)), small);
}

TEST_F(PackRewrite, VisitsEveryRecordOfABlob) {
  depot.push({large});
  const auto location = depot.location(Digest::of(large));
  std::unordered_set<Digest> visited;
  EXPECT_EQ(visit_records(depot.packs(), location.pack, *location.recipe,
                          [&](const Digest& record) { visited.insert(record); }),
            0);
  std::unordered_set<Digest> stored;
  const auto index = depot.packs().index(location.pack);
  for (const auto& record : index->records()) stored.insert(record.header.digest);
  EXPECT_EQ(visited, stored);
}

TEST_F(PackRewrite, CountsTheRecipesThatItCannotRead) {
  depot.push({large});
  const auto location = depot.location(Digest::of(large));
  const Recipe root = decode_recipe(
      depot.packs().read(location.pack, RecordType::recipe, *location.recipe));
  ASSERT_EQ(root.height, 1);
  const Digest name = replace(depot.packs(), location.pack, root.entries[0].digest);
  std::size_t visited = 0;
  EXPECT_EQ(visit_records(depot.packs(), name, *location.recipe,
                          [&](const Digest&) { ++visited; }),
            1);
  EXPECT_GT(visited, root.entries.size() + 1) << "what can be read is visited";
}

TEST_F(PackRewrite, RefusesASuccessorThatIsNoName) {
  const Digest name = Digest::of("a pack");
  EXPECT_FALSE(find_successor(objects, name));
  for (const std::string& bytes :
       {std::string("short"), std::string(64, 'Z'), Digest::of("other").hex() + "0"}) {
    objects.remove(successor_key(name));
    const auto object = objects.create();
    object->append(as_bytes(bytes));
    object->commit(successor_key(name));
    EXPECT_THROW(find_successor(objects, name), Error) << bytes;
  }
  write_successor(objects, name, Digest::of("other"));
  EXPECT_EQ(find_successor(objects, name), Digest::of("other"));
}

}  // namespace
}  // namespace mendel::storage
