#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cli/api_client.h"
#include "cli/chunk_map.h"
#include "storage/base/reference.h"
#include "storage/blob_writer.h"

namespace mendel::cli {

// An upload that the server has opened: what it lacks can be asked, and sent, under its
// path. It needs no memory of its own between two attempts: what arrived in one is known to
// the namespace, and so to the next.
class UploadSession {
 public:
  // Throws permission_denied to whoever may not write there.
  static UploadSession open(ApiClient& server, const Name& ns);

  // The same upload for another thread, over its own connection.
  UploadSession with(ApiClient& server) const { return UploadSession(server, path_); }

  std::string packs_path() const { return path_ + "/packs"; }

  // Positions of those blobs that the namespace does not have.
  std::vector<std::size_t> find_missing_blobs(std::span<const Digest> digests);

  // For each chunk the pack of this namespace that has it.
  std::vector<std::optional<Digest>> find_chunks(std::span<const Digest> digests);

  // Gives it up. What was sent and no version names is swept by the server in time.
  void abandon();

 private:
  UploadSession(ApiClient& server, std::string path)
      : server_(&server), path_(std::move(path)) {}

  ApiClient* server_;
  std::string path_;
};

// Looks for chunks first among those that it was told of, then asks the server.
class ChunkFinder : public storage::KnownChunks {
 public:
  explicit ChunkFinder(UploadSession upload) : upload_(std::move(upload)) {}

  ChunkMap& told() { return told_; }
  std::vector<std::optional<Digest>> find(std::span<const Digest> digests) override;

 private:
  UploadSession upload_;
  ChunkMap told_;
};

}  // namespace mendel::cli
