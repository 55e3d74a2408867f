#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "registry/services/blobs.h"
#include "registry/services/namespace_packs.h"
#include "registry/services/uploads.h"
#include "schema/access.h"
#include "storage/blob_writer.h"
#include "storage/object_store.h"
#include "tests/testing/manual_clock.h"
#include "tests/testing/test_database.h"
#include "tests/testing/vector_sink.h"

namespace mendel::testing {

using Bytes = std::vector<std::byte>;

// The content services of one server, over a database of their own.
struct ContentServer {
  explicit ContentServer(storage::ObjectStore& objects)
      : packs(objects, 32 << 20),
        blobs(test.database(), packs),
        uploads(test.database(), packs, clock) {}

  registry::NamespaceId make_namespace(std::string_view name) {
    return test.database().transact("make a namespace", [&](schema::Transaction& tx) {
      return schema::insert_namespace(tx, name, "", "private")->id;
    });
  }

  // A plain upload in pieces of 64 KiB.
  registry::BlobService::Upload::Result put(registry::NamespaceId ns, const Bytes& bytes,
                                            const Digest& expected) {
    const auto upload = blobs.begin_upload(ns, expected, bytes.size());
    for (std::size_t at = 0; at < bytes.size(); at += 65536) {
      upload->append(
          std::span(bytes).subspan(at, std::min<std::size_t>(65536, bytes.size() - at)));
    }
    return upload->finish();
  }
  registry::BlobService::Upload::Result put(registry::NamespaceId ns, const Bytes& bytes) {
    return put(ns, bytes, Digest::of(bytes));
  }

  Bytes read(registry::NamespaceId ns, const Digest& digest) {
    const auto blob = blobs.find(ns, digest);
    if (!blob) return {};
    Bytes bytes(blob->size_bytes());
    blobs.open(*blob, 0, bytes.size())->read(bytes);
    return bytes;
  }

  TestDatabase test;
  ManualClock clock{parse_rfc3339("2024-02-13T00:00:00Z")};
  registry::NamespacePacks packs;
  registry::BlobService blobs;
  registry::UploadService uploads;
};

struct NothingKnown : storage::KnownChunks {
  std::vector<std::optional<Digest>> find(std::span<const Digest> digests) override {
    return std::vector<std::optional<Digest>>(digests.size());
  }
};

// What a client would send for some blobs: packs, one after the other in one stream.
struct PackStream : storage::PackTarget {
  Sink& begin_pack() override { return sink; }
  void end_pack(storage::PackIndex index, std::vector<storage::StoredBlob>) override {
    packs.push_back(std::move(index));
  }

  static PackStream of(const std::vector<Bytes>& blobs, storage::KnownChunks& known) {
    PackStream stream;
    storage::BlobWriter writer(stream, known);
    for (const Bytes& blob : blobs) {
      writer.append(blob);
      writer.end_blob();
    }
    writer.flush();
    return stream;
  }
  static PackStream of(const std::vector<Bytes>& blobs) {
    NothingKnown nothing;
    return of(blobs, nothing);
  }

  VectorSink sink;
  std::vector<storage::PackIndex> packs;
};

}  // namespace mendel::testing
