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
#include "schema/database.h"
#include "storage/base/clock.h"
#include "storage/base/digest.h"

namespace mendel::registry {

// What a client is sending into a namespace: it asks what is missing, sends packs, and then
// publishes what they hold. An upload keeps what came by it from being swept while it
// lives.
struct Upload {
  std::string id;  // a UUIDv7
  NamespaceId ns = 0;
  Timestamp created_at;
  Timestamp expires_at;
};

// Callers have been authorised to write into the namespace. Any thread; one Ingest is for
// one thread.
class UploadService {
 public:
  UploadService(schema::Database& database, NamespacePacks& packs, const Clock& clock);
  ~UploadService();

  Upload create(NamespaceId ns, const Caller& caller);

  // Throws not_found: also for an upload of another namespace, and for one that has
  // expired.
  Upload get(NamespaceId ns, std::string_view id);

  struct StoredPack {
    Digest name;
    std::uint64_t size_bytes = 0;
  };
  // The newest kPacksShownMax packs that came by it.
  std::vector<StoredPack> packs(const Upload& upload);
  static constexpr std::int32_t kPacksShownMax = 10'000;

  void remove(NamespaceId ns, std::string_view id);

  // Packs were rewritten: what find_chunks() remembers may lie nowhere now.
  void forget();

  // The positions of the blobs that the namespace does not have. Throws gone if one of them
  // was purged: nothing that it is part of can be sent.
  std::vector<std::size_t> find_missing_blobs(const Upload& upload,
                                              std::span<const Digest> digests);

  // For each chunk the pack of the namespace that has it, if one was found: a duplicate may
  // be missed, and is then sent again. Best asked for in the order of the stream.
  std::vector<std::optional<Digest>> find_chunks(const Upload& upload,
                                                 std::span<const Digest> digests);

  // One stream of packs. A pack that was received whole is durable and has its rows,
  // whatever becomes of the rest of the stream.
  class Ingest {
   public:
    virtual ~Ingest() = default;

    // Throws unprocessable for a damaged or lying stream.
    virtual void append(std::span<const std::byte> data) = 0;

    struct Result {
      std::vector<StoredPack> packs;
      std::uint64_t blobs = 0;  // whole, verified, and now the namespace's
    };
    virtual Result finish() = 0;
  };
  std::unique_ptr<Ingest> begin_ingest(const Upload& upload);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace mendel::registry
