#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "registry/services/caller.h"
#include "schema/database.h"
#include "storage/base/digest.h"
#include "storage/base/io.h"
#include "storage/blob_reader.h"
#include "storage/pack_cache.h"

namespace mendel::registry {

// The bytes that a namespace has. A blob belongs to the namespaces that were given its bytes
// or attached it; nobody else can read, attach or detect it. Any thread.
class BlobService {
 public:
  BlobService(schema::Database& database, storage::PackCache& packs);
  ~BlobService();

  std::optional<storage::BlobLocation> find(NamespaceId ns, const Digest& digest);
  std::optional<storage::BlobLocation> remembered(NamespaceId ns, const Digest& digest) const;

  // For each digest its size, or nullopt where the namespace does not have it.
  std::vector<std::optional<std::uint64_t>> sizes(NamespaceId ns, std::span<const Digest> digests);

  std::unique_ptr<Source> open(const storage::BlobLocation& blob, std::uint64_t offset,
                               std::uint64_t length);

  // The whole of a small blob from memory (bounded, least recently used dropped), verified
  // against its SHA-256 when it was loaded. load_hot() puts it there; nullptr: too large.
  std::shared_ptr<const std::string> remembered_bytes(const Digest& digest) const;
  std::shared_ptr<const std::string> load_hot(const storage::BlobLocation& blob);

  // A plain upload: bytes are appended as they come, finish() stores what is new, verifies the
  // digest (unprocessable otherwise, and nothing is kept) and returns whether the namespace
  // had the blob already.
  class Upload {
   public:
    virtual ~Upload() = default;
    virtual void append(std::span<const std::byte> data) = 0;
    enum class Outcome { created, present };
    struct Result {
      Outcome outcome;
      std::uint64_t size_bytes;
    };
    virtual Result finish() = 0;
  };
  std::unique_ptr<Upload> begin_upload(NamespaceId ns, const Digest& expected);

  // Stores the canonical bytes of a manifest; durable when it returns. What several threads
  // store at once goes into one pack.
  void store_manifest(NamespaceId ns, const Digest& digest, std::string_view bytes);

  // The bytes of a manifest that the namespace has, or nullopt.
  std::optional<std::string> find_manifest(NamespaceId ns, const Digest& digest);

  // Gives ns the blob of another namespace that the caller was found to be allowed to read.
  // Throws not_found if from does not have it.
  void attach(NamespaceId ns, NamespaceId from, const Digest& digest);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace mendel::registry
