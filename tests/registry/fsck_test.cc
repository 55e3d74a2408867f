#include "registry/services/fsck.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "schema/transaction.h"
#include "storage/base/error.h"
#include "storage/local_object_store.h"
#include "storage/memory_object_store.h"
#include "storage/object_keys.h"
#include "tests/testing/content_fixture.h"
#include "tests/testing/random_bytes.h"

namespace mendel::registry {
namespace {

using testing::Bytes;
using testing::ContentServer;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::PackStream;
using testing::random_bytes;
using ::testing::SizeIs;

constexpr std::size_t kMiB = 1 << 20;

// A store in which bytes can be flipped, or an object cannot be read.
class RottingObjectStore : public storage::MemoryObjectStore {
 public:
  std::size_t read(std::string_view key, std::uint64_t offset,
                   std::span<std::byte> buffer) override {
    if (key == unreadable_key) throw Error(ErrorCode::unavailable, "read: I/O error");
    if (is_away) throw Error(ErrorCode::unavailable, "no connection");
    const std::size_t size = MemoryObjectStore::read(key, offset, buffer);
    if (key == rotten_key && rotten_at >= offset && rotten_at < offset + size) {
      buffer[rotten_at - offset] ^= std::byte{1};
    }
    return size;
  }

  std::optional<storage::ObjectInfo> find(std::string_view key) override {
    if (is_away) throw Error(ErrorCode::unavailable, "no connection");
    return MemoryObjectStore::find(key);
  }

  bool is_away = false;
  std::string unreadable_key;
  std::string rotten_key;
  std::uint64_t rotten_at = 0;
};

struct Fsck : ::testing::Test {
  void empty_tables() {
    server.test.database().transact("empty the tables", [](schema::Transaction& tx) {
      tx.exec_script("truncate pack, blob, manifest, upload, upload_pack");
    });
  }

  // Services that remember nothing of before.
  BlobService& restarted() {
    return again.emplace_back(server.test.database(), server.packs);
  }

  RottingObjectStore objects;
  ContentServer server{objects};
  NamespaceId lhcb = server.make_namespace("lhcb");
  NamespaceId atlas = server.make_namespace("atlas");
  const Bytes large = random_bytes(5 * kMiB, 1);
  const Bytes small = random_bytes(500, 2);
  const std::string manifest =
      R"({"files":[{"directory":true,"path":"a"}],"format":1,"kind":"model"})";
  std::list<BlobService> again;
};

TEST_F(Fsck, BringsEverythingBackFromTheObjectStoreAlone) {
  server.put(lhcb, large);
  server.put(atlas, small);
  server.blobs.store_manifest(lhcb, Digest::of(manifest), manifest);
  const Upload upload = server.uploads.create(atlas, Caller());
  const Bytes pushed = random_bytes(3 * kMiB, 3);
  const auto ingest = server.uploads.begin_ingest(upload);
  ingest->append(PackStream::of({pushed, random_bytes(100, 4)}).sink.bytes);
  ingest->finish();
  empty_tables();
  ASSERT_FALSE(restarted().find(lhcb, Digest::of(large)));

  for (const Verify verify : {Verify::blobs_of_chunks, Verify::everything}) {
    const RebuildReport report =
        FsckService(server.test.database(), server.packs).rebuild_index(verify);
    EXPECT_THAT(report.problems, IsEmpty());
    EXPECT_EQ(report.packs, 4);
    EXPECT_EQ(report.blobs, 4);
    EXPECT_EQ(report.manifests, 1);
  }
  BlobService& blobs = restarted();
  EXPECT_TRUE(blobs.find(lhcb, Digest::of(large)));
  EXPECT_TRUE(blobs.find(atlas, Digest::of(small)));
  EXPECT_FALSE(blobs.find(atlas, Digest::of(large)));
  EXPECT_FALSE(blobs.find(lhcb, Digest::of(small)));
  EXPECT_EQ(blobs.find_manifest(lhcb, Digest::of(manifest)), manifest);
  EXPECT_EQ(server.read(lhcb, Digest::of(large)), large);
  EXPECT_EQ(server.read(atlas, Digest::of(pushed)), pushed);

  // Duplicates are found again, too.
  Bytes changed = large;
  changed.push_back(std::byte{1});
  server.put(lhcb, changed);
  std::uint64_t stored = 0;
  for (const auto& object : objects.list(storage::namespace_prefix(lhcb), "", 100)) {
    stored += object.size_bytes;
  }
  EXPECT_LT(stored, large.size() + kMiB);
}

TEST_F(Fsck, ReportsADamagedPackAndGoesOn) {
  server.put(lhcb, large);
  const auto place = *server.blobs.find(lhcb, Digest::of(large));
  server.put(lhcb, small);
  const std::string key =
      storage::namespace_prefix(lhcb) + storage::pack_key(place.location.pack);
  const std::uint64_t size = objects.find(key)->size_bytes;

  for (const std::uint64_t at : {size / 2, size - 60, size - 1}) {
    SCOPED_TRACE(at);
    objects.rotten_key = key;
    objects.rotten_at = at;
    empty_tables();
    const RebuildReport report = FsckService(server.test.database(), server.packs)
                                     .rebuild_index(Verify::blobs_of_chunks);
    ASSERT_THAT(report.problems, SizeIs(1));
    EXPECT_THAT(report.problems[0], HasSubstr(place.location.pack.hex()));
    BlobService& blobs = restarted();
    EXPECT_FALSE(blobs.find(lhcb, Digest::of(large)));
    EXPECT_TRUE(blobs.find(lhcb, Digest::of(small)));
  }
}

TEST_F(Fsck, ReportsAPackThatCannotBeReadAndGoesOn) {
  server.put(lhcb, large);
  const auto place = *server.blobs.find(lhcb, Digest::of(large));
  server.put(lhcb, small);
  objects.unreadable_key =
      storage::namespace_prefix(lhcb) + storage::pack_key(place.location.pack);
  empty_tables();
  FsckService fsck(server.test.database(), server.packs);
  const RebuildReport report = fsck.rebuild_index(Verify::blobs_of_chunks);
  ASSERT_THAT(report.problems, SizeIs(1));
  EXPECT_THAT(report.problems[0], HasSubstr(place.location.pack.hex()));
  EXPECT_TRUE(restarted().find(lhcb, Digest::of(small)));

  objects.is_away = true;
  try {
    fsck.rebuild_index(Verify::blobs_of_chunks);
    FAIL() << "a store that is away was taken for damage";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unavailable);
  }
}

TEST_F(Fsck, AttachesAgainWhatVersionsName) {
  server.put(lhcb, small);
  server.blobs.attach(atlas, lhcb, Digest::of(small));
  const std::string named = R"({"files":[{"digest":")" + Digest::of(small).to_string() +
                            R"(","path":"a","size":500}],"format":1,"kind":"model"})";
  server.blobs.store_manifest(atlas, Digest::of(named), named);
  server.test.database().transact("publish", [&](schema::Transaction& tx) {
    tx.exec_script(
        "insert into artifact (namespace_id, name, kind, created_at, "
        "changed_at) "
        "values (" +
        std::to_string(atlas) +
        ", 'm', 'model', now(), now());"
        "insert into version (artifact_id, number, digest, size_bytes, file_count, "
        "created_at, "
        "created_by, message, labels, metrics) select id, 1, '\\x" +
        Digest::of(named).hex() + "', 500, 1, now(), '', '', '{}', '{}' from artifact");
  });
  empty_tables();
  const RebuildReport report = FsckService(server.test.database(), server.packs)
                                   .rebuild_index(Verify::blobs_of_chunks);
  EXPECT_THAT(report.problems, IsEmpty());
  EXPECT_EQ(report.attached, 1);
  EXPECT_TRUE(restarted().find(atlas, Digest::of(small)));
}

}  // namespace
}  // namespace mendel::registry
