#include "registry/services/blobs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "registry/services/blob_upload.h"
#include "storage/base/error.h"
#include "storage/memory_object_store.h"
#include "storage/object_keys.h"
#include "storage/recipe.h"
#include "tests/testing/content_fixture.h"
#include "tests/testing/random_bytes.h"

namespace mendel::registry {
namespace {

using testing::Bytes;
using testing::ContentServer;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::random_bytes;
using Outcome = BlobService::Upload::Outcome;

constexpr std::size_t kMiB = 1 << 20;

template <class Call>
ErrorCode code_of(Call call) {
  try {
    call();
  } catch (const Error& error) {
    return error.code();
  }
  ADD_FAILURE() << "nothing was thrown";
  return ErrorCode::internal;
}

Bytes as_vector(std::string_view text) {
  const auto bytes = as_bytes(text);
  return {bytes.begin(), bytes.end()};
}

Bytes read_all(Source& source, std::size_t piece_size) {
  Bytes all;
  Bytes piece(piece_size);
  for (;;) {
    const std::size_t size = source.read(piece);
    all.insert(all.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(size));
    if (size < piece.size()) return all;
  }
}

struct Blobs : ::testing::Test {
  std::size_t count_objects() { return objects.list("", "", 100'000).size(); }

  storage::MemoryObjectStore objects;
  ContentServer server{objects};
  NamespaceId lhcb = server.make_namespace("lhcb");
  NamespaceId atlas = server.make_namespace("atlas");
};

TEST_F(Blobs, OfEverySizeComeBackAsTheyWere) {
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, std::size_t{1000}, 16 * 1024ul, 64 * 1024ul,
        256 * 1024ul, 256 * 1024ul + 1, 3 * kMiB, 20 * kMiB + 7}) {
    SCOPED_TRACE(size);
    const Bytes bytes = random_bytes(size, size + 1);
    const auto result = server.put(lhcb, bytes);
    EXPECT_EQ(result.outcome, Outcome::created);
    EXPECT_EQ(result.size_bytes, size);
    EXPECT_EQ(server.read(lhcb, Digest::of(bytes)), bytes);
  }
}

TEST_F(Blobs, ThatAreThereAreComparedAndNotStoredAgain) {
  const Bytes bytes = random_bytes(3 * kMiB, 1);
  server.put(lhcb, bytes);
  const std::size_t objects_before = count_objects();
  EXPECT_EQ(server.put(lhcb, bytes).outcome, Outcome::present);
  EXPECT_EQ(count_objects(), objects_before);

  Bytes other = bytes;
  other[5] ^= std::byte{1};
  EXPECT_EQ(code_of([&] { server.put(lhcb, other, Digest::of(bytes)); }),
            ErrorCode::unprocessable);
}

TEST_F(Blobs, WithAWrongDigestLeaveNothing) {
  const Digest wrong = Digest::of("something else");
  for (const std::size_t size : {1000ul, 3 * kMiB}) {
    SCOPED_TRACE(size);
    EXPECT_EQ(code_of([&] { server.put(lhcb, random_bytes(size, 1), wrong); }),
              ErrorCode::unprocessable);
    EXPECT_FALSE(server.blobs.find(lhcb, wrong));
    EXPECT_FALSE(server.blobs.find(lhcb, Digest::of(random_bytes(size, 1))));
  }
  EXPECT_EQ(count_objects(), 0);
}

TEST_F(Blobs, ThatAreLargerThanAPackAndWrongAreNamedByNoRow) {
  const Bytes bytes = random_bytes(70 * kMiB, 3);
  EXPECT_EQ(code_of([&] { server.put(lhcb, bytes, Digest::of("other")); }),
            ErrorCode::unprocessable);
  EXPECT_FALSE(server.blobs.find(lhcb, Digest::of(bytes)));

  // What had arrived serves the next attempt.
  const std::size_t left_behind = count_objects();
  EXPECT_EQ(left_behind, 1);
  server.put(lhcb, bytes);
  std::uint64_t stored = 0;
  for (const auto& object : objects.list("", "", 100)) stored += object.size_bytes;
  EXPECT_LT(stored, 71 * kMiB);
  EXPECT_EQ(server.read(lhcb, Digest::of(bytes)), bytes);
}

TEST_F(Blobs, StoreOfANewVersionOnlyWhatChanged) {
  Bytes bytes = random_bytes(32 * kMiB, 4);
  server.put(lhcb, bytes);
  bytes.insert(bytes.begin() + 10 * kMiB, std::byte{42});
  server.put(lhcb, bytes);
  std::uint64_t stored = 0;
  for (const auto& object : objects.list("", "", 100)) stored += object.size_bytes;
  EXPECT_LT(stored, 33 * kMiB);
  EXPECT_EQ(server.read(lhcb, Digest::of(bytes)), bytes);
}

TEST_F(Blobs, AreUnknownToOtherNamespaces) {
  const Bytes bytes = random_bytes(3 * kMiB, 5);
  const Digest digest = Digest::of(bytes);
  server.put(lhcb, bytes);
  ASSERT_TRUE(server.blobs.find(lhcb, digest));

  EXPECT_FALSE(server.blobs.find(atlas, digest));
  EXPECT_FALSE(server.blobs.remembered(atlas, digest));
  EXPECT_THAT(server.blobs.sizes(atlas, std::vector{digest}), ElementsAre(std::nullopt));
  EXPECT_EQ(code_of([&] { server.blobs.get_named(atlas, digest); }), ErrorCode::data_loss);
  EXPECT_EQ(code_of([&] { server.blobs.attach(lhcb, atlas, Digest::of("unknown")); }),
            ErrorCode::not_found);
  const auto source = server.blobs.open_all(atlas, {{digest, bytes.size()}});
  EXPECT_EQ(code_of([&] { read_all(*source, 1000); }), ErrorCode::data_loss);

  // Bytes that another namespace has are new here: the same answer, and stored.
  const std::size_t objects_before = count_objects();
  EXPECT_EQ(server.put(atlas, bytes).outcome, Outcome::created);
  EXPECT_EQ(count_objects(), objects_before + 1);
  EXPECT_EQ(server.read(atlas, digest), bytes);
}

TEST_F(Blobs, ThatWereAttachedAreReadFromTheOtherNamespacesPacks) {
  const Bytes bytes = random_bytes(3 * kMiB, 6);
  const Digest digest = Digest::of(bytes);
  server.put(lhcb, bytes);
  server.blobs.attach(atlas, lhcb, digest);
  server.blobs.attach(atlas, lhcb, digest);
  EXPECT_EQ(server.read(atlas, digest), bytes);

  // Whoever reads it here may not refer to the packs.
  const auto recipe = server.blobs.open_recipe(atlas, *server.blobs.find(atlas, digest));
  const Bytes leaf = read_all(*recipe, 1 << 20);
  const auto decoded = storage::decode_recipe(std::span(leaf).subspan(4));
  EXPECT_THAT(decoded.packs, ElementsAre(Digest()));
  const auto own = server.blobs.open_recipe(lhcb, *server.blobs.find(lhcb, digest));
  const Bytes own_leaf = read_all(*own, 100);
  EXPECT_THAT(storage::decode_recipe(std::span(own_leaf).subspan(4)).packs,
              ElementsAre(server.blobs.find(lhcb, digest)->location.pack));
}

TEST_F(Blobs, ThatAreHotAreReadFromMemoryOnceTheyWereVerified) {
  const Bytes bytes = random_bytes(2 * kMiB, 7);
  server.put(lhcb, bytes);
  EXPECT_FALSE(server.blobs.remembered(lhcb, Digest::of(bytes)));
  const BlobPlace place = *server.blobs.find(lhcb, Digest::of(bytes));
  ASSERT_TRUE(server.blobs.remembered(lhcb, Digest::of(bytes)));
  EXPECT_EQ(server.blobs.remembered_bytes(place), nullptr);
  EXPECT_EQ(as_vector(*server.blobs.load_hot(place)), bytes);
  EXPECT_EQ(as_vector(*server.blobs.remembered_bytes(place)), bytes);

  const Bytes large = random_bytes(9 * kMiB, 8);
  server.put(lhcb, large);
  EXPECT_EQ(server.blobs.load_hot(*server.blobs.find(lhcb, Digest::of(large))), nullptr);
}

TEST_F(Blobs, AreReadInRanges) {
  const Bytes bytes = random_bytes(20 * kMiB, 9);
  server.put(lhcb, bytes);
  const BlobPlace place = *server.blobs.find(lhcb, Digest::of(bytes));
  for (const std::size_t offset : {0ul, 1ul, 5 * kMiB + 3, 20 * kMiB - 1}) {
    const std::size_t length = std::min<std::size_t>(300'000, bytes.size() - offset);
    Bytes part(length);
    EXPECT_EQ(server.blobs.open(place, offset, length)->read(part), length);
    EXPECT_TRUE(std::equal(part.begin(), part.end(), bytes.begin() + offset)) << offset;
  }
}

TEST_F(Blobs, OfManyFilesComeInOneStreamInAnyOrder) {
  testing::SeededRandom random(10);
  std::vector<Bytes> files;
  for (int i = 0; i < 300; ++i) files.push_back(random_bytes(random.below(9000), 100 + i));
  files.push_back(random_bytes(3 * kMiB, 11));
  files.push_back(random_bytes(200'000, 12));
  files.push_back({});
  std::vector<BlobContent> contents;
  Bytes expected;
  for (std::size_t i = 0; i < 3 * files.size(); ++i) {
    const Bytes& file = files[i < files.size() ? i : random.below(files.size())];
    contents.push_back({Digest::of(file), file.size()});
    expected.insert(expected.end(), file.begin(), file.end());
  }
  for (const Bytes& file : files) server.put(lhcb, file);

  for (const std::size_t piece : {1000ul, 65536ul, 50 * kMiB}) {
    EXPECT_EQ(read_all(*server.blobs.open_all(lhcb, contents), piece), expected) << piece;
  }
  EXPECT_TRUE(read_all(*server.blobs.open_all(lhcb, {}), 10).empty());
}

TEST_F(Blobs, ThatAreUploadedAtOnceShareABoundedMemory) {
  std::vector<std::unique_ptr<BlobService::Upload>> uploads;
  const auto begin_one = [&] {
    uploads.push_back(server.blobs.begin_upload(
        lhcb, Digest::of(std::to_string(uploads.size())), 1ull << 40));
  };
  const auto begin_until_refused = [&] {
    for (int i = 0; i < 1000; ++i) begin_one();
  };
  EXPECT_EQ(code_of(begin_until_refused), ErrorCode::unavailable);
  EXPECT_GT(uploads.size(), 4);
  uploads.pop_back();
  begin_one();
}

TEST_F(Blobs, ManifestsAreFoundInTheirNamespaceOnly) {
  const std::string bytes = R"({"files":[],"format":1,"kind":"model"})";
  server.blobs.store_manifest(lhcb, Digest::of(bytes), bytes);
  EXPECT_EQ(server.blobs.find_manifest(lhcb, Digest::of(bytes)), bytes);
  EXPECT_EQ(server.blobs.find_manifest(atlas, Digest::of(bytes)), std::nullopt);
  EXPECT_EQ(server.blobs.find_manifest(lhcb, Digest::of("x")), std::nullopt);
}

TEST_F(Blobs, FromManyThreadsAreAllThere) {
  std::vector<std::future<void>> puts;
  for (int thread = 0; thread < 8; ++thread) {
    puts.push_back(std::async(std::launch::async, [&, thread] {
      for (int i = 0; i < 20; ++i) {
        server.put(thread % 2 == 0 ? lhcb : atlas, random_bytes(500 + i * 20'000, i));
      }
    }));
  }
  for (auto& put : puts) put.get();
  for (int i = 0; i < 20; ++i) {
    const Bytes bytes = random_bytes(500 + i * 20'000, i);
    EXPECT_EQ(server.read(lhcb, Digest::of(bytes)), bytes);
    EXPECT_EQ(server.read(atlas, Digest::of(bytes)), bytes);
  }
}

}  // namespace
}  // namespace mendel::registry
