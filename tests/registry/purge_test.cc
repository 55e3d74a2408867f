#include "registry/services/purge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unordered_set>

#include "registry/services/fsck.h"
#include "schema/access.h"
#include "schema/audit.h"
#include "storage/base/error.h"
#include "storage/leaf_reader.h"
#include "storage/memory_object_store.h"
#include "storage/object_keys.h"
#include "tests/testing/content_fixture.h"
#include "tests/testing/faulty_object_store.h"
#include "tests/testing/random_bytes.h"

namespace mendel::registry {
namespace {

using testing::Bytes;
using testing::ContentServer;
using testing::FaultyObjectStore;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
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

// Looks into all packs of a store, and at every record in them.
class Contents : private storage::PackParser::Visitor {
 public:
  explicit Contents(storage::ObjectStore& objects) {
    for (const auto& object : objects.list("", "", 100'000)) {
      if (object.key.find(storage::kPackPrefix) == std::string::npos) continue;
      Bytes bytes(object.size_bytes);
      objects.read(object.key, 0, bytes);
      storage::PackParser parser(*this, ErrorCode::data_loss);
      parser.append(bytes);
      parser.finish();
      ++packs;
    }
  }

  // Whether any of the bytes is there, in the pieces in which blobs are cut.
  bool have_any_of(const Bytes& blob) const {
    for (std::size_t at = 0; at + kProbe <= blob.size(); at += kProbe) {
      const std::string probe(as_text(std::span(blob).subspan(at, kProbe)));
      for (const std::string& record : records_) {
        if (record.find(probe) != std::string::npos) return true;
      }
    }
    return false;
  }
  bool have(const Digest& record) const { return digests_.contains(record); }

  std::size_t packs = 0;

 private:
  static constexpr std::size_t kProbe = 8192;

  void pack_bytes(std::span<const std::byte>) override {}
  void record(const storage::RecordHeader& header,
              std::span<const std::byte> raw) override {
    digests_.insert(header.digest);
    records_.emplace_back(as_text(raw));
  }
  void pack_end(storage::PackIndex) override {}

  std::unordered_set<Digest> digests_;
  std::vector<std::string> records_;
};

// A server with what purging needs. The feed is told by announce() alone.
struct PurgingServer : ContentServer {
  explicit PurgingServer(storage::ObjectStore& objects) : ContentServer(objects) {}

  PurgeService::Outcome purge(const Bytes& blob) {
    const Digest digest = Digest::of(blob);
    purging.bury(admin, purging.plan({&digest, 1}), digest.to_string(), "it must not be");
    return purging.remove_bytes();
  }

  Caller admin{.principal = 1,
               .name = "admin",
               .is_admin = true,
               .scopes = Scopes::all(),
               .only_namespace = std::nullopt,
               .expires_at = std::nullopt};
  ChangeFeed changes{test.database()};
  PurgeService purging{test.database(), changes, packs, blobs, uploads};
};

struct Purge : ::testing::Test {
  void push(NamespaceId ns, const std::vector<std::byte>& stream) {
    const auto ingest = server.uploads.begin_ingest(server.uploads.create(ns, Caller()));
    ingest->append(stream);
    ingest->finish();
  }

  // As a client does that asks for what is there.
  PackStream packs_against(NamespaceId ns, const Bytes& blob) {
    struct Known : storage::KnownChunks {
      std::vector<std::optional<Digest>> find(std::span<const Digest> digests) override {
        return server.uploads.find_chunks(upload, digests);
      }
      PurgingServer& server;
      Upload upload;
      Known(PurgingServer& the_server, NamespaceId ns)
          : server(the_server), upload(server.uploads.create(ns, Caller())) {}
    } known(server, ns);
    return PackStream::of({blob}, known);
  }

  storage::MemoryObjectStore objects;
  PurgingServer server{objects};
  NamespaceId lhcb = server.make_namespace("lhcb");
  NamespaceId atlas = server.make_namespace("atlas");
  const Bytes large = random_bytes(5 * kMiB, 1);
  const Bytes small = random_bytes(500, 2);
};

TEST_F(Purge, LeavesNoByteOfABlobInAnyPack) {
  server.put(lhcb, large);
  server.put(lhcb, small);
  const Bytes other = random_bytes(3 * kMiB, 3);
  push(atlas, PackStream::of({large, other, small}).sink.bytes);
  ASSERT_TRUE(Contents(objects).have_any_of(large));

  for (const Bytes& blob : {large, small}) {
    const auto outcome = server.purge(blob);
    EXPECT_TRUE(outcome.is_complete);
    EXPECT_THAT(outcome.bytes.problems, IsEmpty());
    EXPECT_EQ(outcome.bytes.chunks_kept, 0);
    EXPECT_GE(outcome.bytes.bytes_removed, 2 * blob.size());
  }
  const Contents left(objects);
  EXPECT_FALSE(left.have_any_of(large));
  EXPECT_FALSE(left.have(Digest::of(small)));
  EXPECT_EQ(left.packs, 1) << "a pack of which nothing is left goes";
  for (const NamespaceId ns : {lhcb, atlas}) {
    EXPECT_FALSE(server.blobs.find(ns, Digest::of(large)));
    EXPECT_FALSE(server.blobs.find(ns, Digest::of(small)));
  }
  EXPECT_EQ(server.read(atlas, Digest::of(other)), other);
}

TEST_F(Purge, KeepsTheChunksThatOtherBlobsShare) {
  server.put(lhcb, large);
  Bytes changed = large;
  changed[2 * kMiB] ^= std::byte{1};
  server.put(lhcb, changed);
  Bytes longer = large;
  longer.insert(longer.end(), small.begin(), small.end());
  push(lhcb, packs_against(lhcb, longer).sink.bytes);

  const auto outcome = server.purge(large);
  EXPECT_TRUE(outcome.is_complete);
  EXPECT_GT(outcome.bytes.chunks_kept, 0);
  EXPECT_EQ(server.read(lhcb, Digest::of(changed)), changed);
  EXPECT_EQ(server.read(lhcb, Digest::of(longer)), longer);

  // Once the others go, the rest goes, too.
  server.purge(changed);
  EXPECT_EQ(server.read(lhcb, Digest::of(longer)), longer);
  server.purge(longer);
  EXPECT_FALSE(Contents(objects).have_any_of(large));
  EXPECT_EQ(Contents(objects).packs, 0);
}

TEST_F(Purge, ASmallBlobStaysThatIsAChunkOfTheLargeOne) {
  push(lhcb, PackStream::of({large}).sink.bytes);
  const auto place = *server.blobs.find(lhcb, Digest::of(large));
  const auto leaf = *storage::LeafReader(server.packs.of(lhcb), place.location).next();
  const Bytes chunk(large.begin(), large.begin() + static_cast<std::ptrdiff_t>(
                                                       leaf.entries[0].size_bytes));
  ASSERT_EQ(Digest::of(chunk), leaf.entries[0].digest);
  push(lhcb, PackStream::of({chunk}).sink.bytes);

  server.purge(large);
  EXPECT_EQ(server.read(lhcb, Digest::of(chunk)), chunk);
  server.purge(chunk);
  EXPECT_EQ(Contents(objects).packs, 0);
}

TEST_F(Purge, AttachedBlobsGoAndTheirNeighboursStayAttached) {
  push(lhcb, PackStream::of({large, small}).sink.bytes);
  for (const Bytes& blob : {large, small}) {
    server.blobs.attach(atlas, lhcb, Digest::of(blob));
  }
  server.purge(large);
  EXPECT_FALSE(server.blobs.find(atlas, Digest::of(large)));
  EXPECT_EQ(server.read(atlas, Digest::of(small)), small);
  EXPECT_EQ(code_of([&] { server.blobs.attach(atlas, lhcb, Digest::of(large)); }),
            ErrorCode::gone);
}

TEST_F(Purge, BytesDoNotComeBack) {
  server.put(lhcb, large);
  server.put(lhcb, small);
  server.purge(large);
  server.purge(small);
  const std::size_t packs_before = Contents(objects).packs;

  for (const NamespaceId ns : {lhcb, atlas}) {
    for (const Bytes& blob : {large, small}) {
      EXPECT_EQ(code_of([&] { server.put(ns, blob); }), ErrorCode::gone);
      EXPECT_EQ(code_of([&] { push(ns, PackStream::of({blob}).sink.bytes); }),
                ErrorCode::gone);
      const Digest digest = Digest::of(blob);
      const Upload upload = server.uploads.create(ns, Caller());
      EXPECT_EQ(code_of([&] {
                  server.uploads.find_missing_blobs(upload, {&digest, 1});
                }),
                ErrorCode::gone);
    }
  }
  EXPECT_EQ(Contents(objects).packs, packs_before);
}

TEST_F(Purge, OnlyWhoHadItIsToldWhy) {
  server.put(lhcb, small);
  server.purge(small);
  const auto told = [&](NamespaceId ns) {
    try {
      server.put(ns, small);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_THAT(told(lhcb), HasSubstr("it must not be"));
  EXPECT_THAT(told(atlas), HasSubstr("is gone"));
  EXPECT_THAT(told(atlas), ::testing::Not(HasSubstr("it must not be")));
}

TEST_F(Purge, RefusesWhatNobodyHasAndManifests) {
  const Digest unknown = Digest::of("nobody has this");
  EXPECT_EQ(code_of([&] { server.purging.plan({&unknown, 1}); }), ErrorCode::not_found);

  const std::string manifest =
      R"({"files":[{"directory":true,"path":"a"}],"format":1,"kind":"model"})";
  const Digest digest = Digest::of(manifest);
  server.blobs.store_manifest(lhcb, digest, manifest);
  EXPECT_EQ(code_of([&] { server.purging.plan({&digest, 1}); }), ErrorCode::unprocessable);
}

TEST_F(Purge, RecipesThatNameARewrittenPackStayTrue) {
  push(lhcb, PackStream::of({large, small}).sink.bytes);
  Bytes next = large;
  next.insert(next.end(), small.begin(), small.end());
  const PackStream stream = packs_against(lhcb, next);
  ASSERT_LT(stream.sink.bytes.size(), kMiB) << "it points into the first pack";
  push(lhcb, stream.sink.bytes);

  server.purge(small);  // the first pack is written anew
  EXPECT_EQ(server.read(lhcb, Digest::of(next)), next);

  // A client that knows the recipes, and the pack's old name by them, sends another one.
  Bytes third = next;
  third.push_back(std::byte{7});
  const auto place = *server.blobs.find(lhcb, Digest::of(next));
  struct Known : storage::KnownChunks {
    std::vector<std::optional<Digest>> find(std::span<const Digest> digests) override {
      std::vector<std::optional<Digest>> found;
      for (const Digest& digest : digests) {
        const auto known = packs.find(digest);
        found.push_back(known == packs.end() ? std::nullopt : std::optional(known->second));
      }
      return found;
    }
    std::unordered_map<Digest, Digest> packs;
  } known;
  storage::LeafReader leaves(server.packs.of(lhcb), place.location);
  while (const auto leaf = leaves.next()) {
    for (const auto& entry : leaf->entries) {
      known.packs.emplace(entry.digest, leaf->packs[entry.pack - 1]);
    }
  }
  push(lhcb, PackStream::of({third}, known).sink.bytes);
  EXPECT_EQ(server.read(lhcb, Digest::of(third)), third);

  // Whoever remembers nothing reads the same, and the rows can be made again.
  NamespacePacks packs(objects, 1 << 20);
  BlobService restarted(server.test.database(), packs);
  storage::verify_blob(packs.of(lhcb), restarted.find(lhcb, Digest::of(third))->location);
  const auto report =
      FsckService(server.test.database(), packs).rebuild_index(Verify::everything);
  EXPECT_THAT(report.problems, IsEmpty());
}

TEST_F(Purge, RebuildingTheIndexBringsNothingBack) {
  push(lhcb, PackStream::of({large, small}).sink.bytes);
  const Digest digest = Digest::of(large);
  server.purging.bury(server.admin, server.purging.plan({&digest, 1}), "x", "y");

  // The bytes are there yet: the server was killed.
  const auto report = FsckService(server.test.database(), server.packs)
                          .rebuild_index(Verify::blobs_of_chunks);
  EXPECT_THAT(report.problems, IsEmpty());
  EXPECT_FALSE(server.blobs.find(lhcb, digest));

  EXPECT_TRUE(server.purging.remove_bytes().is_complete);
  EXPECT_FALSE(Contents(objects).have_any_of(large));
  FsckService(server.test.database(), server.packs).rebuild_index(Verify::everything);
  EXPECT_FALSE(server.blobs.find(lhcb, digest));
  EXPECT_EQ(server.read(lhcb, Digest::of(small)), small);
}

TEST_F(Purge, FindsWhatABrokenUploadLeftBehind) {
  server.put(lhcb, large);
  // A pack that became durable, and whose rows were never written.
  const PackStream stream = PackStream::of({random_bytes(100, 9), large});
  const auto object = objects.create();
  object->append(stream.sink.bytes);
  object->commit(storage::namespace_prefix(atlas) +
                 storage::pack_key(stream.packs[0].name()));

  server.purge(large);
  EXPECT_FALSE(Contents(objects).have_any_of(large));
  EXPECT_TRUE(Contents(objects).have(Digest::of(random_bytes(100, 9))));
}

TEST_F(Purge, RepeatedItReadsEveryPackAgain) {
  server.put(lhcb, large);
  EXPECT_TRUE(server.purge(large).is_complete);
  const PackStream stream = PackStream::of({large});
  const auto object = objects.create();
  object->append(stream.sink.bytes);
  object->commit(storage::namespace_prefix(atlas) +
                 storage::pack_key(stream.packs[0].name()));

  const auto outcome = server.purge(large);
  EXPECT_TRUE(outcome.is_complete);
  EXPECT_GE(outcome.bytes.bytes_removed, large.size());
  EXPECT_EQ(Contents(objects).packs, 0);
}

TEST_F(Purge, AnUploadThatIsOnItsWayFailsAndIsWholeWhenRepeated) {
  push(lhcb, PackStream::of({large}).sink.bytes);
  Bytes next = large;
  next.push_back(std::byte{1});
  const PackStream stream = packs_against(lhcb, next);

  const auto ingest = server.uploads.begin_ingest(server.uploads.create(lhcb, Caller()));
  const std::span<const std::byte> bytes(stream.sink.bytes);
  ingest->append(bytes.first(bytes.size() / 2));
  server.purge(large);
  EXPECT_EQ(code_of([&] {
              ingest->append(bytes.subspan(bytes.size() / 2));
              ingest->finish();
            }),
            ErrorCode::aborted);
  EXPECT_FALSE(server.blobs.find(lhcb, Digest::of(next)));

  push(lhcb, packs_against(lhcb, next).sink.bytes);
  EXPECT_EQ(server.read(lhcb, Digest::of(next)), next);
}

TEST_F(Purge, AReaderInTheMiddleOfANeighbourReadsOn) {
  push(lhcb, PackStream::of({large, small}).sink.bytes);
  const auto place = *server.blobs.find(lhcb, Digest::of(large));
  const auto source = server.blobs.open(place, 0, large.size());
  const auto many = server.blobs.open_all(lhcb, {{Digest::of(large), large.size()}});
  Bytes read(large.size());
  source->read(std::span(read).first(kMiB));
  Bytes streamed(large.size());
  many->read(std::span(streamed).first(kMiB));

  server.purge(small);
  source->read(std::span(read).subspan(kMiB));
  EXPECT_EQ(read, large);
  many->read(std::span(streamed).subspan(kMiB));
  EXPECT_EQ(streamed, large);
}

TEST_F(Purge, IsInTheAuditLogOfEveryNamespaceThatHadIt) {
  server.put(lhcb, small);
  server.put(atlas, small);
  server.purge(small);
  for (const NamespaceId ns : {lhcb, atlas}) {
    const auto entries =
        server.test.database().read("list the audit log", [&](schema::Transaction& tx) {
          return schema::list_audit(tx, {.namespace_id = ns,
                                         .subject = std::nullopt,
                                         .action = "blob.purge",
                                         .before = std::nullopt,
                                         .limit = 10});
        });
    ASSERT_THAT(entries, SizeIs(1));
    EXPECT_EQ(entries[0].entry.principal, "admin");
    EXPECT_EQ(entries[0].entry.subject, Digest::of(small).to_string());
    EXPECT_EQ(entries[0].entry.reason, "it must not be");
  }
}

// Goal: whichever call to the object store fails, a purge that is repeated ends, nothing is
// left of the blob then, and at no time is another one harmed. Method: fail call 0, then 1,
// … until a run meets no fault.
TEST(PurgeFaults, ItCanBeRepeatedAfterAFaultAtAnyCall) {
  const Bytes doomed = random_bytes(600'000, 1);
  Bytes neighbour = doomed;
  neighbour[300'000] ^= std::byte{1};
  const Bytes small = random_bytes(500, 2);

  for (int failing_call = 0;; ++failing_call) {
    SCOPED_TRACE("failing call " + std::to_string(failing_call));
    ASSERT_LT(failing_call, 500);
    storage::MemoryObjectStore objects;
    PurgingServer healthy(objects);
    const NamespaceId ns = healthy.make_namespace("lhcb");
    healthy.put(ns, doomed);
    healthy.put(ns, small);
    healthy.put(ns, neighbour);
    const Digest digest = Digest::of(doomed);
    healthy.purging.bury(healthy.admin, healthy.purging.plan({&digest, 1}), "x", "y");

    FaultyObjectStore faulty(objects, failing_call,
                             Error(ErrorCode::unavailable, "injected"));
    NamespacePacks packs(faulty, 1 << 20);
    PurgeService broken(healthy.test.database(), healthy.changes, packs, healthy.blobs,
                        healthy.uploads);
    bool has_thrown = false;
    try {
      broken.remove_bytes();
    } catch (const Error& error) {
      ASSERT_EQ(error.code(), ErrorCode::unavailable) << error.what();
      has_thrown = true;
    }
    ASSERT_EQ(has_thrown, faulty.failed());

    NamespacePacks fresh(objects, 1 << 20);
    BlobService blobs(healthy.test.database(), fresh);
    for (const Bytes& blob : {neighbour, small}) {
      const auto place = blobs.find(ns, Digest::of(blob));
      ASSERT_TRUE(place);
      storage::verify_blob(fresh.of(ns), place->location);
    }
    ASSERT_EQ(healthy.read(ns, Digest::of(neighbour)), neighbour);

    ASSERT_TRUE(healthy.purging.remove_bytes().is_complete);
    const Contents left(objects);
    ASSERT_FALSE(left.have(digest));
    ASSERT_EQ(healthy.read(ns, Digest::of(neighbour)), neighbour);
    ASSERT_EQ(healthy.read(ns, Digest::of(small)), small);
    healthy.purge(neighbour);
    ASSERT_FALSE(Contents(objects).have_any_of(doomed));
    if (!faulty.failed()) break;
  }
}

}  // namespace
}  // namespace mendel::registry
