#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "storage/base/error.h"
#include "storage/base/sha256.h"
#include "storage/blob_reader.h"
#include "storage/blob_writer.h"
#include "storage/chunker.h"
#include "storage/manifest.h"
#include "storage/memory_object_store.h"
#include "storage/object_keys.h"
#include "storage/pack_ingest.h"
#include "tests/testing/depot.h"
#include "tests/testing/faulty_object_store.h"
#include "tests/testing/random_bytes.h"
#include "tests/testing/vector_sink.h"

namespace mendel::storage {
namespace {

using testing::Depot;
using testing::FaultyObjectStore;
using ::testing::HasSubstr;
using testing::IngestTarget;
using testing::random_bytes;
using testing::SeededRandom;
using testing::VectorSink;
using Bytes = std::vector<std::byte>;

constexpr std::size_t kMiB = 1 << 20;

struct NothingKnown : KnownChunks {
  std::vector<std::optional<Digest>> find(std::span<const Digest> digests) override {
    return std::vector<std::optional<Digest>>(digests.size());
  }
};

// Keeps what a writer hands over.
struct CollectingTarget : PackTarget {
  Sink& begin_pack() override { return sink; }
  void end_pack(PackIndex index, std::vector<StoredBlob> completed) override {
    packs.push_back(std::move(index));
    blobs.insert(blobs.end(), completed.begin(), completed.end());
  }
  VectorSink sink;
  std::vector<PackIndex> packs;
  std::vector<StoredBlob> blobs;
};

Bytes with_noise(Bytes bytes, std::size_t at, std::size_t size, std::uint64_t seed) {
  const Bytes noise = random_bytes(size, seed);
  std::copy(noise.begin(), noise.end(), bytes.begin() + static_cast<std::ptrdiff_t>(at));
  return bytes;
}

std::size_t count_records(const PackIndex& pack, RecordType type) {
  return std::count_if(pack.records().begin(), pack.records().end(),
                       [&](const auto& record) { return record.header.type == type; });
}

TEST(Blob, ComesBackWhateverItsSize) {
  MemoryObjectStore objects;
  Depot depot(objects);
  std::vector<Bytes> blobs;
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, kChunkSizeMin - 1, kChunkSizeMin, kChunkSizeMax,
        kChunkSizeMax + 1, 3 * kMiB, 16 * kMiB, 17 * kMiB + 5, 50 * kMiB}) {
    blobs.push_back(random_bytes(size, size));
  }
  const auto push = depot.push(blobs);
  ASSERT_EQ(push.digests.size(), blobs.size());
  for (std::size_t i = 0; i < blobs.size(); ++i) {
    SCOPED_TRACE(blobs[i].size());
    ASSERT_EQ(push.digests[i], Digest::of(blobs[i]));
    ASSERT_EQ(depot.location(push.digests[i]).size_bytes, blobs[i].size());
    ASSERT_TRUE(depot.read(push.digests[i]) == blobs[i]);
    verify_blob(depot.packs(), depot.location(push.digests[i]));
  }
}

TEST(Blob, DoesNotDependOnThePiecesInWhichItIsAppended) {
  const Bytes blob = random_bytes(2 * kMiB, 1);
  NothingKnown known;
  CollectingTarget whole;
  BlobWriter writer(whole, known);
  writer.append(blob);
  writer.end_blob();
  writer.flush();

  CollectingTarget pieces;
  BlobWriter piecewise(pieces, known);
  SeededRandom random(7);
  for (std::size_t at = 0; at < blob.size();) {
    const std::size_t size = std::min(random.below(100'000), blob.size() - at);
    piecewise.append(std::span(blob).subspan(at, size));
    at += size;
  }
  piecewise.end_blob();
  piecewise.flush();
  EXPECT_TRUE(pieces.sink.bytes == whole.sink.bytes);
  EXPECT_EQ(pieces.blobs, whole.blobs);
}

Bytes joined(const std::vector<Bytes>& parts) {
  Bytes whole;
  for (const Bytes& part : parts) whole.insert(whole.end(), part.begin(), part.end());
  return whole;
}

// Of a blob that was written: what a recipe of it says.
ChunkTrail trail_of(std::span<const std::byte> blob) {
  ChunkTrail trail;
  while (!blob.empty()) {
    const auto chunk = blob.first(first_chunk_size(blob));
    trail.add({Digest::of(chunk), static_cast<std::uint32_t>(chunk.size())});
    blob = blob.subspan(chunk.size());
  }
  return trail;
}

TEST(Blob, IsTheSameWhicheverTrailItFollows) {
  const Bytes older = random_bytes(2 * kMiB, 1);
  const Bytes begins_later(older.begin() + 12'345, older.end());
  const Bytes ends_earlier(older.begin(), older.end() - 12'345);
  const Bytes twice = joined({older, older});
  const Bytes changed =
      joined({Bytes(older.begin(), older.begin() + 700'000), random_bytes(1000, 2),
              Bytes(older.begin() + 900'000, older.end())});
  const ChunkTrail trail = trail_of(older);
  for (const Bytes& blob : {older, begins_later, ends_earlier, twice, changed,
                            random_bytes(kMiB, 3), random_bytes(100, 4), Bytes()}) {
    NothingKnown known;
    CollectingTarget alone;
    BlobWriter writer(alone, known);
    writer.append(blob);
    EXPECT_EQ(writer.end_blob(), Digest::of(blob));
    writer.flush();

    CollectingTarget beside;
    BlobWriter follower(beside, known);
    follower.follow(trail);
    follower.append(blob);
    EXPECT_EQ(follower.end_blob(), Digest::of(blob));
    follower.flush();
    EXPECT_TRUE(beside.sink.bytes == alone.sink.bytes) << blob.size();
  }
}

TEST(Blob, CanBeReadFromAnywhereInPiecesOfAnySize) {
  MemoryObjectStore objects;
  Depot depot(objects);
  const Bytes blob = random_bytes(40 * kMiB, 3);
  const Digest digest = depot.push({blob}).digests[0];
  SeededRandom random(11);
  for (int round = 0; round < 200; ++round) {
    const std::size_t offset = random.below(blob.size() + 1);
    const std::size_t length = std::min(random.below(kMiB), blob.size() - offset);
    BlobReader reader(depot.packs(), depot.location(digest), offset, length);
    Bytes buffer(1 + random.below(500'000));
    Bytes got;
    while (const std::size_t count = reader.read(buffer)) {
      got.insert(got.end(), buffer.begin(),
                 buffer.begin() + static_cast<std::ptrdiff_t>(count));
    }
    ASSERT_TRUE(std::ranges::equal(got, std::span(blob).subspan(offset, length)))
        << offset << " " << length;
  }
}

TEST(Blob, HasNoBytesBeyondItsEnd) {
  MemoryObjectStore objects;
  Depot depot(objects);
  const Digest digest = depot.push({random_bytes(10, 3)}).digests[0];
  for (const auto& [offset, length] :
       {std::pair{11ull, 0ull}, {10ull, 1ull}, {5ull, ~0ull}}) {
    EXPECT_THROW(BlobReader(depot.packs(), depot.location(digest), offset, length), Error);
  }
}

TEST(BlobWriter, WritesNoRecipeForABlobOfOneChunk) {
  NothingKnown known;
  CollectingTarget target;
  BlobWriter writer(target, known);
  writer.append(random_bytes(kChunkSizeMin, 1));
  const Digest digest = writer.end_blob();
  writer.flush();
  ASSERT_EQ(target.packs.size(), 1u);
  EXPECT_EQ(target.packs[0].records().size(), 1u);
  EXPECT_EQ(target.packs[0].records()[0].header.type, RecordType::blob);
  EXPECT_EQ(target.blobs, (std::vector{StoredBlob{digest, kChunkSizeMin, std::nullopt}}));
}

TEST(BlobWriter, WritesOneRecipeForABlobOfOneSegment) {
  NothingKnown known;
  CollectingTarget target;
  BlobWriter writer(target, known);
  writer.append(random_bytes(kMiB, 1));
  const Digest digest = writer.end_blob();
  writer.flush();
  EXPECT_EQ(count_records(target.packs[0], RecordType::recipe), 1u);
  EXPECT_EQ(target.packs[0].records()[0].header.type, RecordType::recipe);
  EXPECT_EQ(
      target.blobs,
      (std::vector{StoredBlob{digest, kMiB, target.packs[0].records()[0].header.digest}}));
}

TEST(BlobWriter, ReportsABlobWithThePackThatCompletesIt) {
  MemoryObjectStore objects;
  Depot depot(objects);
  PackIngest ingest(depot.packs(), depot, depot.listener());
  IngestTarget target(ingest);
  BlobWriter writer(target, depot);
  writer.append(random_bytes(100 * kMiB, 5));
  const Digest large = writer.end_blob();
  writer.append(random_bytes(5, 6));
  const Digest small = writer.end_blob();
  writer.flush();
  ASSERT_EQ(target.ended.size(), 2u);
  EXPECT_TRUE(target.ended[0].second.empty());
  ASSERT_EQ(target.ended[1].second.size(), 2u);
  EXPECT_EQ(target.ended[1].second[0].digest, large);
  EXPECT_EQ(target.ended[1].second[1].digest, small);
  EXPECT_GE(target.ended[0].first.pack_size_bytes(), kPackSizeTarget);
  EXPECT_LT(target.ended[0].first.pack_size_bytes(), kPackSizeTarget + 2 * kLeafSizeTarget);
  verify_blob(depot.packs(), depot.location(large));
  EXPECT_EQ(writer.pack_bytes(), target.ended[0].first.pack_size_bytes() +
                                     target.ended[1].first.pack_size_bytes());
}

TEST(BlobWriter, RefusesASmallBlobThatHasSeveralChunks) {
  NothingKnown known;
  CollectingTarget target;
  BlobWriter writer(target, known);
  const Bytes bytes = random_bytes(kMiB, 1);
  EXPECT_THROW(writer.add_small_blob(Digest::of(bytes), bytes), Error);
  writer.add_small_blob(Digest::of("a"), as_bytes("a"));
  writer.add_small_blob(Digest::of("a"), as_bytes("a"));
  writer.flush();
  EXPECT_EQ(target.blobs.size(), 1u);
}

TEST(BlobWriter, StoresChunksOnceWithinAPackAndAcrossPushes) {
  MemoryObjectStore objects;
  Depot depot(objects);
  const Bytes blob = random_bytes(5 * kMiB, 1);
  Bytes twice = blob;
  twice.insert(twice.end(), blob.begin(), blob.end());
  const auto first = depot.push({blob, twice, blob});
  EXPECT_LT(first.chunk_bytes_new, blob.size() + 2 * kChunkSizeMax);
  EXPECT_TRUE(depot.read(first.digests[1]) == twice);

  const auto again = depot.push({blob, twice});
  EXPECT_EQ(again.chunk_bytes_new, 0u);
  EXPECT_EQ(again.digests[1], first.digests[1]);
}

TEST(BlobWriter, StoresOfANextVersionWhatChanged) {
  MemoryObjectStore objects;
  Depot depot(objects);
  SeededRandom random(42);
  Bytes blob = random_bytes(20 * kMiB, 1);
  depot.push({blob});
  for (int version = 0; version < 10; ++version) {
    const std::size_t at = random.below(blob.size() - 1000);
    switch (random.below(3)) {
      case 0: blob = with_noise(std::move(blob), at, 1000, random.next()); break;
      case 1: {
        const Bytes inserted = random_bytes(random.below(1000), random.next());
        blob.insert(blob.begin() + static_cast<std::ptrdiff_t>(at), inserted.begin(),
                    inserted.end());
        break;
      }
      default:
        blob.erase(blob.begin() + static_cast<std::ptrdiff_t>(at),
                   blob.begin() + static_cast<std::ptrdiff_t>(at + 1000));
    }
    const auto push = depot.push({blob});
    ASSERT_LE(push.chunk_bytes_new, 4 * kChunkSizeMax) << version;
    ASSERT_TRUE(depot.read(push.digests[0]) == blob) << version;
  }
}

TEST(BlobWriter, DoesNotSendAgainWhatArrivedBeforeAnInterruption) {
  MemoryObjectStore objects;
  Depot depot(objects);
  const Bytes blob = random_bytes(100 * kMiB, 9);
  {
    PackIngest ingest(depot.packs(), depot, depot.listener());
    IngestTarget target(ingest);
    BlobWriter writer(target, depot);
    writer.append(std::span(blob).first(90 * kMiB));
  }
  ASSERT_EQ(depot.pack_count(), 1u);
  ASSERT_EQ(depot.blob_count(), 0u);
  const auto resumed = depot.push({blob});
  EXPECT_LT(resumed.chunk_bytes_new, blob.size() - kPackSizeTarget + kChunkSizeMax);
  EXPECT_TRUE(depot.read(resumed.digests[0]) == blob);
}

TEST(PackIngest, TakesZerosThatRepeatOneChunk) {
  MemoryObjectStore objects;
  Depot depot(objects);
  const Bytes zeros(50 * kMiB + 1);
  const auto push = depot.push({zeros, Bytes(3 * kMiB)});
  EXPECT_LE(push.chunk_bytes_new, 2 * kChunkSizeMax);
  EXPECT_TRUE(depot.read(push.digests[0]) == zeros);
}

TEST(PackIngest, DoesNotDependOnThePiecesInWhichAStreamComes) {
  NothingKnown known;
  CollectingTarget target;
  BlobWriter writer(target, known);
  for (int i = 0; i < 3; ++i) {
    writer.append(random_bytes(300'000, i));
    writer.end_blob();
    writer.flush();
  }
  for (const std::size_t piece : {1u, 47u, 48u, 49u, 4096u, 1u << 20}) {
    MemoryObjectStore objects;
    Depot depot(objects);
    depot.ingest(target.sink.bytes, piece);
    EXPECT_EQ(depot.pack_count(), 3u);
    EXPECT_EQ(depot.blob_count(), 3u);
    EXPECT_EQ(objects.list(kPackPrefix, "", 10).size(), 3u);
  }
}

TEST(PackIngest, KeepsOnlyWholePacksOfAStreamThatIsCut) {
  NothingKnown known;
  CollectingTarget target;
  BlobWriter writer(target, known);
  for (int i = 0; i < 2; ++i) {
    writer.append(random_bytes(100'000, i));
    writer.end_blob();
    writer.flush();
  }
  const Bytes& stream = target.sink.bytes;
  for (std::size_t size = 0; size < stream.size(); size += 997) {
    MemoryObjectStore objects;
    Depot depot(objects);
    const std::size_t whole = size / target.packs[0].pack_size_bytes();
    if (size == 0) {
      depot.ingest({}, 1000);
    } else {
      EXPECT_THROW(depot.ingest(std::span(stream).first(size), 1000), Error) << size;
    }
    EXPECT_EQ(depot.blob_count(), whole);
    EXPECT_EQ(objects.list(kPackPrefix, "", 10).size(), whole);
  }
}

// A pack written record by record, as no honest writer would.
class HostilePack {
 public:
  Digest add(RecordType type, std::span<const std::byte> raw) {
    const Digest digest = Digest::of(raw);
    writer_.add(type, digest, raw);
    return digest;
  }
  Digest add(const Recipe& recipe) {
    return add(RecordType::recipe, encode_recipe(recipe));
  }
  Bytes finish() {
    writer_.finish();
    return std::move(sink_.bytes);
  }

 private:
  VectorSink sink_;
  PackWriter writer_{sink_};
};

class HostileStream : public ::testing::Test {
 protected:
  // Expects the pack to be refused, with nothing reported; returns why.
  std::string refusal_of(HostilePack& pack) {
    const std::size_t packs = depot.pack_count();
    const std::size_t blobs = depot.blob_count();
    std::string why = "accepted";
    try {
      depot.ingest(pack.finish(), 10'000);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::unprocessable) << error.what();
      EXPECT_EQ(depot.pack_count(), packs);
      EXPECT_EQ(depot.blob_count(), blobs);
      why = error.what();
    }
    return why;
  }

  static Recipe leaf_of(const std::vector<Bytes>& chunks) {
    Recipe leaf;
    Sha256 sha256;
    for (const Bytes& chunk : chunks) {
      leaf.entries.push_back({Digest::of(chunk), chunk.size(), 0});
      sha256.update(chunk);
    }
    leaf.blob = sha256.finish();
    return leaf;
  }

  MemoryObjectStore objects;
  Depot depot{objects};
  const Bytes a = random_bytes(kChunkSizeMin, 1);
  const Bytes b = random_bytes(kChunkSizeMin + 1, 2);
  const Bytes small = random_bytes(10, 3);
};

TEST_F(HostileStream, IsAcceptedIfItIsHonest) {
  HostilePack pack;
  pack.add(leaf_of({a, b, small}));
  for (const Bytes& chunk : {a, b, small}) pack.add(RecordType::chunk, chunk);
  EXPECT_EQ(refusal_of(pack), "accepted");
  EXPECT_EQ(depot.blob_count(), 1u);
}

TEST_F(HostileStream, MayNotHaveChunksThatNoRecipeLists) {
  HostilePack pack;
  pack.add(RecordType::chunk, a);
  EXPECT_THAT(refusal_of(pack), HasSubstr("is not the one that a recipe lists next"));
}

TEST_F(HostileStream, MayNotChangeTheOrderOfChunks) {
  HostilePack pack;
  pack.add(leaf_of({a, b}));
  pack.add(RecordType::chunk, b);
  pack.add(RecordType::chunk, a);
  EXPECT_THAT(refusal_of(pack), HasSubstr("is not the one that a recipe lists next"));
}

TEST_F(HostileStream, MayNotLeaveAChunkOut) {
  HostilePack pack;
  pack.add(leaf_of({a, b}));
  pack.add(RecordType::chunk, a);
  EXPECT_THAT(refusal_of(pack), HasSubstr("which does not come"));

  HostilePack with_a_blob;
  with_a_blob.add(leaf_of({a, b}));
  with_a_blob.add(RecordType::blob, small);
  EXPECT_THAT(refusal_of(with_a_blob), HasSubstr("which does not come"));
}

TEST_F(HostileStream, MayNotLieAboutAChunksSize) {
  HostilePack pack;
  Recipe leaf = leaf_of({a, b});
  leaf.entries[0].size_bytes += 1;
  pack.add(leaf);
  pack.add(RecordType::chunk, a);
  EXPECT_THAT(refusal_of(pack), HasSubstr("with a size it does not have"));
}

TEST_F(HostileStream, MayNotLieAboutABlobsDigest) {
  HostilePack pack;
  Recipe leaf = leaf_of({a, b});
  leaf.blob = Digest::of("another blob");
  pack.add(leaf);
  pack.add(RecordType::chunk, a);
  pack.add(RecordType::chunk, b);
  EXPECT_THAT(refusal_of(pack), HasSubstr("whose bytes have another digest"));
}

TEST_F(HostileStream, MayNotLieAboutABlobThatIsReadBack) {
  HostilePack pack;
  pack.add(RecordType::blob, a);
  Recipe leaf = leaf_of({a, b});
  leaf.blob = Digest::of("another blob");
  pack.add(leaf);
  pack.add(RecordType::chunk, b);
  EXPECT_THAT(refusal_of(pack), HasSubstr("are not its own"));
}

TEST_F(HostileStream, MayNotPointIntoPacksOutsideItsScope) {
  Depot other(objects);
  const Digest theirs = other.location(other.push({a}).digests[0]).pack;
  std::vector<std::string> answers;
  for (const Digest& pack_name : {theirs, Digest::of("no pack at all")}) {
    HostilePack pack;
    Recipe leaf = leaf_of({a, b});
    leaf.entries[0].pack = leaf.number_of(pack_name);
    pack.add(leaf);
    pack.add(RecordType::chunk, b);
    std::string answer = refusal_of(pack);
    EXPECT_THAT(answer,
                HasSubstr("names pack " + pack_name.hex() + ", which there is not"));
    answers.push_back(answer.substr(answer.find(", which")));
  }
  EXPECT_EQ(answers[0], answers[1]);
}

TEST_F(HostileStream, MayPointIntoItsOwnPacksOnlyAtWhatIsThere) {
  const Digest known = depot.location(depot.push({a}).digests[0]).pack;
  const auto with = [&](const Digest& digest, std::uint64_t size) {
    HostilePack pack;
    Recipe leaf = leaf_of({a, b});
    leaf.entries[0] = {digest, size, leaf.number_of(known)};
    pack.add(leaf);
    pack.add(RecordType::chunk, b);
    return refusal_of(pack);
  };
  EXPECT_THAT(with(Digest::of("x"), a.size()), HasSubstr("which has no such chunk"));
  EXPECT_THAT(with(Digest::of(a), a.size() + 1), HasSubstr("which has no such chunk"));
  EXPECT_EQ(with(Digest::of(a), a.size()), "accepted");
}

TEST_F(HostileStream, MayNotHaveSmallChunksInTheMiddleOfABlob) {
  HostilePack pack;
  Recipe leaf = leaf_of({small, a});
  pack.add(leaf);
  EXPECT_THAT(refusal_of(pack), HasSubstr("a chunk that is not the last one is too small"));

  HostilePack two_leaves;
  Recipe first = leaf_of({small});
  Recipe second = leaf_of({a});
  first.blob = second.blob = std::nullopt;
  Recipe top;
  top.height = 1;
  top.entries.push_back({two_leaves.add(first), small.size(), 0});
  two_leaves.add(RecordType::chunk, small);
  top.entries.push_back({two_leaves.add(second), a.size(), 0});
  two_leaves.add(RecordType::chunk, a);
  Bytes blob = small;
  blob.insert(blob.end(), a.begin(), a.end());
  top.blob = Digest::of(blob);
  two_leaves.add(top);
  EXPECT_THAT(refusal_of(two_leaves), HasSubstr("is too small and does not end the blob"));
}

TEST_F(HostileStream, MayNotListRecipesThatAreNotThere) {
  HostilePack pack;
  Recipe top;
  top.height = 1;
  top.blob = Digest::of(a);
  top.entries = {{Digest::of("no recipe"), a.size(), 0}};
  pack.add(top);
  EXPECT_THAT(refusal_of(pack), HasSubstr("which is not in that pack"));
}

TEST_F(HostileStream, MayNotHaveNodesOfTheWrongHeightOrSize) {
  const auto with = [&](std::uint8_t height, std::uint64_t size) {
    HostilePack pack;
    Recipe leaf = leaf_of({a});
    leaf.blob = std::nullopt;
    Recipe top;
    top.height = height;
    top.blob = Digest::of(a);
    top.entries = {{pack.add(leaf), size, 0}};
    pack.add(RecordType::chunk, a);
    pack.add(top);
    return refusal_of(pack);
  };
  EXPECT_THAT(with(2, a.size()), HasSubstr("is not one level below"));
  EXPECT_THAT(with(1, a.size() + 1), HasSubstr("does not have the size that is listed"));
  EXPECT_EQ(with(1, a.size()), "accepted");
}

TEST_F(HostileStream, MayNotPutATopmostRecipeBelowAnother) {
  HostilePack pack;
  const Recipe leaf = leaf_of({a});
  Recipe top;
  top.height = 1;
  top.blob = leaf.blob;
  top.entries = {{pack.add(leaf), a.size(), 0}};
  pack.add(RecordType::chunk, a);
  pack.add(top);
  EXPECT_THAT(refusal_of(pack), HasSubstr("is a topmost one below another"));
}

TEST_F(HostileStream, MayNotHaveRecipesOrManifestsThatDoNotDecode) {
  HostilePack recipe;
  recipe.add(RecordType::recipe, as_bytes("no recipe"));
  EXPECT_THAT(refusal_of(recipe), HasSubstr("the recipe breaks a rule"));
  HostilePack manifest;
  manifest.add(RecordType::manifest, as_bytes("{}"));
  EXPECT_THAT(refusal_of(manifest), HasSubstr("has neither files nor components"));
}

TEST_F(HostileStream, MayListLeavesOutOfOrderIfTheBytesAreRight) {
  HostilePack pack;
  Recipe first = leaf_of({a});
  Recipe second = leaf_of({b});
  first.blob = second.blob = std::nullopt;
  Recipe top;
  top.height = 1;
  top.entries.resize(2);
  top.entries[1] = {pack.add(second), b.size(), 0};
  pack.add(RecordType::chunk, b);
  top.entries[0] = {pack.add(first), a.size(), 0};
  pack.add(RecordType::chunk, a);
  Bytes blob = a;
  blob.insert(blob.end(), b.begin(), b.end());
  top.blob = Digest::of(blob);
  pack.add(top);
  EXPECT_EQ(refusal_of(pack), "accepted");
  EXPECT_TRUE(depot.read(Digest::of(blob)) == blob);
}

TEST(PackIngest, ReportsManifests) {
  Manifest manifest;
  manifest.components = {{"tracking", "lhcb/lamarr-trk:17", Digest::of("v")}};
  const std::string bytes = encode_manifest(manifest);
  MemoryObjectStore objects;
  Depot depot(objects);
  PackIngest ingest(depot.packs(), depot, depot.listener());
  IngestTarget target(ingest);
  BlobWriter writer(target, depot);
  writer.add_manifest(Digest::of(bytes), as_bytes(bytes));
  writer.flush();
  EXPECT_EQ(depot.manifest_count(), 1u);
}

// Goal: whichever call to the object store fails, nothing partial is reported, and pushing
// can be repeated and then succeeds.
// Method: fail call 0, then call 1, … until a push meets no fault.
TEST(PackIngest, CanBeRepeatedAfterAFaultAtAnyCall) {
  Bytes changed = random_bytes(400'000, 1);
  const Bytes base = changed;
  changed = with_noise(std::move(changed), 300'000, 100, 2);
  Bytes repeating = changed;
  repeating.insert(repeating.end(), changed.begin(), changed.end());

  for (int failing_call = 0;; ++failing_call) {
    SCOPED_TRACE("failing call " + std::to_string(failing_call));
    MemoryObjectStore objects;
    FaultyObjectStore faulty(objects, failing_call,
                             Error(ErrorCode::unavailable, "the store is away"));
    Depot depot(faulty);
    try {
      depot.push({base});
      depot.push({changed, repeating});
      ASSERT_FALSE(faulty.failed());
      ASSERT_EQ(depot.blob_count(), 3u);
      break;
    } catch (const Error& error) {
      ASSERT_EQ(error.code(), ErrorCode::unavailable);
      ASSERT_FALSE(depot.has_blob(Digest::of(changed)));
      ASSERT_FALSE(depot.has_blob(Digest::of(repeating)));
    }
    const auto push = depot.push({base, changed, repeating});
    ASSERT_TRUE(depot.read(push.digests[0]) == base);
    ASSERT_TRUE(depot.read(push.digests[1]) == changed);
    ASSERT_TRUE(depot.read(push.digests[2]) == repeating);
  }
}

class DamagedStore : public ::testing::Test {
 protected:
  DamagedStore() { digest = depot.push({random_bytes(kMiB, 1)}).digests[0]; }

  ErrorCode code_of_reading() {
    try {
      Bytes buffer(100'000);
      const BlobLocation& location = depot.location(digest);
      BlobReader reader(fresh.packs(), location, 0, location.size_bytes);
      while (reader.read(buffer) > 0) continue;
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::internal;
  }

  ErrorCode code_of_verifying() {
    try {
      verify_blob(fresh.packs(), depot.location(digest));
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::internal;
  }

  MemoryObjectStore objects;
  Depot depot{objects};
  Depot fresh{objects};  // has no index in memory
  Digest digest;
};

TEST_F(DamagedStore, IsDataLossIfAPackIsGone) {
  objects.remove(pack_key(depot.location(digest).pack));
  EXPECT_EQ(code_of_reading(), ErrorCode::data_loss);
  EXPECT_EQ(code_of_verifying(), ErrorCode::data_loss);
}

TEST_F(DamagedStore, IsDataLossIfOneByteOfAChunkIsWrong) {
  const std::string key = pack_key(depot.location(digest).pack);
  Bytes bytes(objects.find(key)->size_bytes);
  objects.read(key, 0, bytes);
  bytes[bytes.size() / 2] ^= std::byte{1};
  objects.remove(key);
  auto object = objects.create();
  object->append(bytes);
  object->commit(key);
  EXPECT_EQ(code_of_reading(), ErrorCode::data_loss);
  EXPECT_EQ(code_of_verifying(), ErrorCode::data_loss);
}

TEST_F(DamagedStore, IsDataLossIfARowNamesTheWrongRecipe) {
  BlobLocation wrong = depot.location(digest);
  wrong.digest = Digest::of("another blob");
  EXPECT_THROW(LeafReader(depot.packs(), wrong), Error);
  wrong = depot.location(digest);
  wrong.size_bytes += 1;
  EXPECT_THROW(LeafReader(depot.packs(), wrong), Error);
}

}  // namespace
}  // namespace mendel::storage
