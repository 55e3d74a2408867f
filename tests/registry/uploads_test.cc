#include "registry/services/uploads.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "storage/base/error.h"
#include "storage/memory_object_store.h"
#include "tests/testing/content_fixture.h"
#include "tests/testing/random_bytes.h"

namespace mendel::registry {
namespace {

using testing::Bytes;
using testing::ContentServer;
using ::testing::Each;
using ::testing::ElementsAre;
using testing::PackStream;
using testing::random_bytes;
using ::testing::SizeIs;

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

std::vector<Digest> chunks_of(const PackStream& stream) {
  std::vector<Digest> chunks;
  for (const auto& pack : stream.packs) {
    for (const auto& record : pack.records()) {
      if (record.header.type == storage::RecordType::chunk)
        chunks.push_back(record.header.digest);
    }
  }
  return chunks;
}

// Says that a pack has every chunk.
struct AllIn : storage::KnownChunks {
  explicit AllIn(const Digest& the_pack) : pack(the_pack) {}
  std::vector<std::optional<Digest>> find(std::span<const Digest> digests) override {
    return std::vector<std::optional<Digest>>(digests.size(), pack);
  }
  const Digest pack;
};

struct Uploads : ::testing::Test {
  UploadService::Ingest::Result send(const Upload& upload,
                                     std::span<const std::byte> stream) {
    const auto ingest = server.uploads.begin_ingest(upload);
    for (; !stream.empty();
         stream = stream.subspan(std::min<std::size_t>(10'007, stream.size()))) {
      ingest->append(stream.first(std::min<std::size_t>(10'007, stream.size())));
    }
    return ingest->finish();
  }

  storage::MemoryObjectStore objects;
  ContentServer server{objects};
  NamespaceId lhcb = server.make_namespace("lhcb");
  NamespaceId atlas = server.make_namespace("atlas");
};

TEST_F(Uploads, LiveForSevenDaysInTheirNamespace) {
  const Upload upload = server.uploads.create(lhcb, Caller());
  EXPECT_EQ(server.uploads.get(lhcb, upload.id).expires_at, upload.expires_at);
  EXPECT_EQ(code_of([&] { server.uploads.get(atlas, upload.id); }), ErrorCode::not_found);
  EXPECT_EQ(code_of([&] { server.uploads.remove(atlas, upload.id); }),
            ErrorCode::not_found);
  EXPECT_EQ(code_of([&] { server.uploads.get(lhcb, "no-uuid"); }), ErrorCode::not_found);
  server.clock.advance(std::chrono::hours(24 * 7 - 1));
  server.uploads.get(lhcb, upload.id);
  server.clock.advance(std::chrono::hours(1));
  EXPECT_EQ(code_of([&] { server.uploads.get(lhcb, upload.id); }), ErrorCode::not_found);

  const Upload other = server.uploads.create(lhcb, Caller());
  server.uploads.remove(lhcb, other.id);
  EXPECT_EQ(code_of([&] { server.uploads.get(lhcb, other.id); }), ErrorCode::not_found);
}

TEST_F(Uploads, TakeInPacksAndTheBlobsInThem) {
  const std::vector<Bytes> blobs{random_bytes(3 * kMiB, 1), random_bytes(100, 2), {}};
  const Upload upload = server.uploads.create(lhcb, Caller());
  std::vector<Digest> digests{Digest::of("unknown")};
  for (const Bytes& blob : blobs) digests.push_back(Digest::of(blob));
  EXPECT_THAT(server.uploads.find_missing_blobs(upload, digests), ElementsAre(0, 1, 2, 3));

  const auto result = send(upload, PackStream::of(blobs).sink.bytes);
  EXPECT_EQ(result.blobs, 3);
  ASSERT_THAT(result.packs, SizeIs(1));
  EXPECT_THAT(server.uploads.find_missing_blobs(upload, digests), ElementsAre(0));
  for (const Bytes& blob : blobs) EXPECT_EQ(server.read(lhcb, Digest::of(blob)), blob);
  ASSERT_THAT(server.uploads.packs(upload), SizeIs(1));
  EXPECT_EQ(server.uploads.packs(upload)[0].name, result.packs[0].name);
}

TEST_F(Uploads, KeepThePacksThatCameBeforeTheStreamBroke) {
  const Bytes whole = random_bytes(2 * kMiB, 1);
  const Bytes broken = random_bytes(2 * kMiB, 2);
  const Upload upload = server.uploads.create(lhcb, Caller());
  Bytes stream = PackStream::of({whole}).sink.bytes;
  const Bytes rest = PackStream::of({broken}).sink.bytes;
  stream.insert(stream.end(), rest.begin(), rest.end() - 100);

  EXPECT_EQ(code_of([&] { send(upload, stream); }), ErrorCode::unprocessable);
  EXPECT_TRUE(server.blobs.find(lhcb, Digest::of(whole)));
  EXPECT_FALSE(server.blobs.find(lhcb, Digest::of(broken)));
  EXPECT_THAT(server.uploads.packs(upload), SizeIs(1));

  stream[1'000'000] ^= std::byte{1};
  const Upload other = server.uploads.create(atlas, Caller());
  EXPECT_EQ(code_of([&] { send(other, stream); }), ErrorCode::unprocessable);
  EXPECT_FALSE(server.blobs.find(atlas, Digest::of(whole)));
}

TEST_F(Uploads, SendTheSamePackTwiceWithoutHarm) {
  const Bytes blob = random_bytes(kMiB, 1);
  const Bytes stream = PackStream::of({blob}).sink.bytes;
  const Upload upload = server.uploads.create(lhcb, Caller());
  send(upload, stream);
  EXPECT_EQ(send(upload, stream).blobs, 1);
  EXPECT_THAT(server.uploads.packs(upload), SizeIs(1));
  EXPECT_EQ(server.read(lhcb, Digest::of(blob)), blob);
}

TEST_F(Uploads, FindTheChunksThatArrivedAndThoseOfEarlierVersions) {
  const PackStream earlier = PackStream::of({random_bytes(40 * kMiB, 1)});
  const PackStream arrived = PackStream::of({random_bytes(kMiB, 2)});
  send(server.uploads.create(lhcb, Caller()), earlier.sink.bytes);
  const Upload upload = server.uploads.create(lhcb, Caller());
  send(upload, arrived.sink.bytes);

  EXPECT_THAT(server.uploads.find_chunks(upload, chunks_of(earlier)),
              Each(earlier.packs[0].name()));
  EXPECT_THAT(server.uploads.find_chunks(upload, chunks_of(arrived)),
              Each(arrived.packs[0].name()));
  EXPECT_THAT(server.uploads.find_chunks(upload, std::vector{Digest::of("unknown")}),
              ElementsAre(std::nullopt));
  EXPECT_TRUE(server.uploads.find_chunks(upload, {}).empty());
}

TEST_F(Uploads, SendOnlyWhatANewVersionChanged) {
  Bytes blob = random_bytes(32 * kMiB, 1);
  const PackStream first = PackStream::of({blob});
  const Upload upload = server.uploads.create(lhcb, Caller());
  send(upload, first.sink.bytes);
  blob.insert(blob.begin() + 16 * kMiB, std::byte{1});

  struct Asking : storage::KnownChunks {
    std::vector<std::optional<Digest>> find(std::span<const Digest> digests) override {
      return uploads->find_chunks(*upload, digests);
    }
    UploadService* uploads;
    const Upload* upload;
  } asking;
  asking.uploads = &server.uploads;
  asking.upload = &upload;
  const PackStream second = PackStream::of({blob}, asking);
  EXPECT_LT(second.sink.bytes.size(), kMiB);
  send(upload, second.sink.bytes);
  EXPECT_EQ(server.read(lhcb, Digest::of(blob)), blob);
}

TEST_F(Uploads, LearnNothingOfOtherNamespaces) {
  const Bytes secret = random_bytes(40 * kMiB, 1);
  const PackStream theirs = PackStream::of({secret});
  send(server.uploads.create(lhcb, Caller()), theirs.sink.bytes);

  const Upload upload = server.uploads.create(atlas, Caller());
  EXPECT_THAT(server.uploads.find_missing_blobs(upload, std::vector{Digest::of(secret)}),
              ElementsAre(0));
  EXPECT_THAT(server.uploads.find_chunks(upload, chunks_of(theirs)), Each(std::nullopt));

  // A recipe alone, pointing into a pack of the other namespace: refused as if there were
  // no such pack.
  AllIn known(theirs.packs[0].name());
  EXPECT_EQ(code_of([&] { send(upload, PackStream::of({secret}, known).sink.bytes); }),
            ErrorCode::unprocessable);
  EXPECT_FALSE(server.blobs.find(atlas, Digest::of(secret)));

  // The very bytes of the pack are a new pack here.
  EXPECT_EQ(send(upload, theirs.sink.bytes).blobs, 1);
  EXPECT_EQ(server.read(atlas, Digest::of(secret)), secret);
}

TEST_F(Uploads, TakeSeveralStreamsAtOnce) {
  const Upload upload = server.uploads.create(lhcb, Caller());
  std::vector<std::future<void>> streams;
  for (int i = 0; i < 4; ++i) {
    streams.push_back(std::async(std::launch::async, [&, i] {
      send(upload, PackStream::of({random_bytes(3 * kMiB, 50 + i)}).sink.bytes);
      const PackStream same = PackStream::of({random_bytes(kMiB, 1)});
      server.uploads.find_chunks(upload, chunks_of(same));
      send(upload, same.sink.bytes);
    }));
  }
  for (auto& stream : streams) stream.get();
  EXPECT_THAT(server.uploads.packs(upload), SizeIs(5));
  for (int i = 0; i < 4; ++i) {
    const Bytes bytes = random_bytes(3 * kMiB, 50 + i);
    EXPECT_EQ(server.read(lhcb, Digest::of(bytes)), bytes);
  }
}

}  // namespace
}  // namespace mendel::registry
