#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "registry/services/caller.h"
#include "registry/services/namespace_packs.h"
#include "registry/services/tombstones.h"
#include "schema/database.h"
#include "storage/base/digest.h"
#include "storage/base/io.h"
#include "storage/blob_reader.h"

namespace mendel::registry {

// Where a blob that a namespace has can be read. Whoever holds a place was found to have
// the blob; the packs are another namespace's where the blob was attached.
struct BlobPlace {
  storage::BlobLocation location;
  NamespaceId pack_namespace = 0;

  const Digest& digest() const { return location.digest; }
  std::uint64_t size_bytes() const { return location.size_bytes; }
};

// A file of a bundle or an archive.
struct BlobContent {
  Digest digest;
  std::uint64_t size_bytes = 0;
};

// The bytes that a namespace has. A blob belongs to the namespaces that were given its
// bytes or attached it; nobody else can read, attach or detect it. Any thread.
class BlobService {
 public:
  BlobService(schema::Database& database, NamespacePacks& packs);
  ~BlobService();

  // Places that were found are remembered, per namespace, until forget(): a blob was
  // purged, by this server or another one.
  std::optional<BlobPlace> find(NamespaceId ns, const Digest& digest);
  std::optional<BlobPlace> remembered(NamespaceId ns, const Digest& digest) const;
  void forget();

  // The same for a blob that a version of the namespace names: throws gone if it was
  // purged, else data_loss.
  BlobPlace get_named(NamespaceId ns, const Digest& digest);

  // Throws gone for the first of the blobs that must not be stored (any more).
  void refuse_purged(NamespaceId ns, std::span<const Digest> digests);

  // The same, if the namespace had the blob: only then it may know.
  void refuse_purged_here(NamespaceId ns, const Digest& digest);

  // The first of the blobs, which versions of the namespace name, that was purged.
  std::optional<Tombstone> find_purged(NamespaceId ns, std::span<const BlobContent> blobs);

  // For each digest its size, or nullopt where the namespace does not have it.
  std::vector<std::optional<std::uint64_t>> sizes(NamespaceId ns,
                                                  std::span<const Digest> digests);

  std::unique_ptr<Source> open(const BlobPlace& blob, std::uint64_t offset,
                               std::uint64_t length);

  // The bytes of many blobs, one after the other. Small ones that lie near each other are
  // read together. Holds about 2 MiB. read() throws data_loss for a blob that the namespace
  // does not have, or has in another size: a version names it.
  std::unique_ptr<Source> open_all(NamespaceId ns, std::vector<BlobContent> blobs);

  // The leaves of the blob's recipe as application/vnd.mendel.recipe: each a little-endian
  // u32 and so many bytes of encode_recipe(). Packs of another namespace than ns are named
  // by zeros.
  std::unique_ptr<Source> open_recipe(NamespaceId ns, const BlobPlace& blob);

  // The whole of a small blob from memory (bounded, least recently used dropped), verified
  // against its SHA-256 when it was loaded. load_hot() puts it there; nullptr: too large.
  std::shared_ptr<const std::string> remembered_bytes(const BlobPlace& blob) const;
  std::shared_ptr<const std::string> load_hot(const BlobPlace& blob);

  // A plain upload: bytes are appended as they come, finish() stores what is new, verifies
  // the digest (unprocessable otherwise) and returns whether the namespace had the blob
  // already.
  //
  // After a wrong digest no row names anything of the blob. Packs that were full before the
  // end came have their rows and no blob: a repeated upload finds their chunks, and what is
  // never named is swept.
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

  // size_bytes: if it is known. All uploads share kUploadMemoryMax; throws unavailable when
  // that is taken.
  std::unique_ptr<Upload> begin_upload(NamespaceId ns, const Digest& expected,
                                       std::optional<std::uint64_t> size_bytes);

  // Stores the canonical bytes of a manifest; durable when it returns. What several threads
  // store at once goes into one pack.
  void store_manifest(NamespaceId ns, const Digest& digest, std::string_view bytes);

  // The bytes of a manifest that the namespace has, or nullopt.
  std::optional<std::string> find_manifest(NamespaceId ns, const Digest& digest);

  // Gives ns the blob of another namespace that the caller was found to be allowed to read.
  // Throws not_found if from does not have it.
  void attach(NamespaceId ns, NamespaceId from, const Digest& digest);

  // The same for many.
  void attach_all(NamespaceId ns, NamespaceId from, std::span<const Digest> digests);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace mendel::registry
