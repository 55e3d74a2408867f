#include <gtest/gtest.h>

#include "storage/blob_reader.h"
#include "storage/blob_writer.h"
#include "storage/chunker.h"
#include "storage/memory_object_store.h"
#include "tests/testing/depot.h"
#include "tests/testing/random_bytes.h"

namespace mendel::storage {
namespace {

// A blob of more leaves than one inner node lists: zeros, with something of its own in each
// segment so that no two leaves are the same.
TEST(LargeBlob, HasInnerNodesOnTwoLevels) {
  MemoryObjectStore objects;
  testing::Depot depot(objects);
  PackIngest ingest(depot.packs(), depot, depot.listener());
  testing::IngestTarget target(ingest);
  BlobWriter writer(target, depot);
  const std::vector<std::byte> zeros(kLeafSizeTarget - kChunkSizeMax);
  const std::size_t segments = kRecipeEntriesMax + 20;
  for (std::size_t i = 0; i < segments; ++i) {
    writer.append(zeros);
    writer.append(testing::random_bytes(kChunkSizeMax, i));
  }
  const Digest digest = writer.end_blob();
  writer.flush();
  ingest.finish();

  const BlobLocation& blob = depot.location(digest);
  ASSERT_EQ(blob.size_bytes, segments * kLeafSizeTarget);
  const auto top =
      decode_recipe(depot.packs().read(blob.pack, RecordType::recipe, *blob.recipe));
  EXPECT_EQ(top.height, 2);

  std::vector<std::byte> expected = testing::random_bytes(kChunkSizeMax, segments - 2);
  std::vector<std::byte> buffer(expected.size());
  BlobReader reader(depot.packs(), blob, (segments - 1) * kLeafSizeTarget - kChunkSizeMax,
                    kChunkSizeMax);
  ASSERT_EQ(reader.read(buffer), buffer.size());
  EXPECT_TRUE(buffer == expected);
}

}  // namespace
}  // namespace mendel::storage
