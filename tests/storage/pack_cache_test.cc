#include "storage/pack_cache.h"

#include <gtest/gtest.h>

#include <thread>

#include "storage/memory_object_store.h"
#include "storage/object_keys.h"
#include "tests/testing/random_bytes.h"

namespace mendel::storage {
namespace {

using testing::random_bytes;

struct ObjectSink : Sink {
  explicit ObjectSink(ObjectWriter& object) : object(object) {}
  void write(std::span<const std::byte> data) override { object.append(data); }

  ObjectWriter& object;
};

// Packs of one blob each, made of their seed.
class PackCacheTest : public ::testing::Test {
 protected:
  static std::vector<std::byte> content(std::uint64_t seed) {
    return random_bytes(1'000, seed);
  }

  PackIndex store_pack(std::uint64_t seed) {
    const auto object = objects.create();
    ObjectSink sink(*object);
    PackWriter writer(sink);
    writer.add(RecordType::blob, Digest::of(content(seed)), content(seed));
    PackIndex index = writer.finish();
    object->commit(pack_key(index.name()));
    return index;
  }

  MemoryObjectStore objects;
  PackCache packs{objects, 1 << 20};
};

TEST_F(PackCacheTest, ReadsARecord) {
  const Digest pack = store_pack(1).name();
  EXPECT_EQ(packs.read(pack, RecordType::blob, Digest::of(content(1))), content(1));
  EXPECT_EQ(packs.read(pack, RecordType::chunk, Digest::of(content(1))), content(1));
}

TEST_F(PackCacheTest, SaysNotFoundForARecordThatThePackDoesNotHave) {
  const Digest pack = store_pack(1).name();
  try {
    packs.read(pack, RecordType::manifest, Digest::of(content(1)));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::not_found);
  }
}

TEST_F(PackCacheTest, ReadsAnIndexOnce) {
  const Digest pack = store_pack(1).name();
  const auto index = packs.index(pack);
  objects.remove(pack_key(pack));
  EXPECT_EQ(packs.index(pack), index);
}

TEST_F(PackCacheTest, NeedNotReadAnIndexThatItWasTold) {
  PackIndex index = store_pack(1);
  const Digest pack = index.name();
  objects.remove(pack_key(pack));
  packs.remember(std::move(index));
  EXPECT_EQ(packs.index(pack)->name(), pack);
}

TEST_F(PackCacheTest, DropsTheLeastRecentlyUsedIndexBeyondItsMemory) {
  const PackIndex first = store_pack(1);
  const PackIndex second = store_pack(2);
  const PackIndex third = store_pack(3);
  PackCache two_packs(objects, first.memory_bytes() + second.memory_bytes());
  two_packs.index(first.name());
  two_packs.index(second.name());
  two_packs.index(first.name());
  two_packs.index(third.name());

  for (const PackIndex& pack : {first, second, third})
    objects.remove(pack_key(pack.name()));
  EXPECT_NO_THROW(two_packs.index(first.name()));
  EXPECT_NO_THROW(two_packs.index(third.name()));
  EXPECT_THROW(two_packs.index(second.name()), Error);
}

TEST_F(PackCacheTest, ReadsFromSeveralThreadsWithMemoryForNone) {
  PackCache no_memory(objects, 0);
  std::vector<Digest> names;
  for (std::uint64_t seed = 0; seed < 8; ++seed) names.push_back(store_pack(seed).name());
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 4; ++thread) {
      threads.emplace_back([&] {
        for (std::uint64_t i = 0; i < 200; ++i) {
          const std::uint64_t seed = i % names.size();
          EXPECT_EQ(
              no_memory.read(names[seed], RecordType::blob, Digest::of(content(seed))),
              content(seed));
        }
      });
    }
  }
}

}  // namespace
}  // namespace mendel::storage
