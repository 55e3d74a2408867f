#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <unordered_set>
#include <vector>

#include "cli/pack_stream.h"
#include "cli/progress.h"
#include "cli/push_base.h"
#include "cli/tree_scan.h"
#include "cli/upload_session.h"
#include "storage/blob_writer.h"

namespace mendel::cli {

// Reads files once, works out their digests, and writes into packs what the server lacks.
//
// Small files (of one chunk) are hashed and gathered; the server is asked for many at once
// which it lacks. A large file is first compared, chunk by chunk, with the file of the base
// that has its path, up to the first difference: one that is unchanged costs nothing more.
// Otherwise it is cut, and of its chunks those are written that neither the base nor the
// server has.
//
// A file that changes while it is read is read again, and refused (aborted) if that does
// not help. Memory: kGatheredBytesMax, one segment of a blob, and the base's recipe. For
// one thread.
class FileSender {
 public:
  FileSender(ApiClient& server, UploadSession upload, const PushBase& base,
             PackOutlet& outlet, ChunkFinder& finder, Progress& progress);

  // Completes the entry of a file to store: digest and size. What belongs to it is written
  // by the time that finish() returns.
  void send(ScannedFile& file);

  void add_manifest(const Digest& digest, std::string_view bytes);

  // Returns when the server keeps all that was sent.
  void finish();

  std::uint64_t new_bytes() const { return writer_.chunk_bytes_new(); }
  std::uint64_t sent_bytes() const { return writer_.pack_bytes(); }

 private:
  struct Gathered {
    Digest digest;
    std::vector<std::byte> bytes;
  };
  static constexpr std::size_t kGatheredFilesMax = 8192;
  static constexpr std::size_t kGatheredBytesMax = 16u << 20;

  void send_once(ScannedFile& file, const Fd& source, std::uint64_t size_bytes);
  bool send_as_small_file(ScannedFile& file, const Fd& source, std::uint64_t size_bytes);
  bool is_unchanged(const ScannedFile& file, const Fd& source, const BaseChunks& base);
  void cut_and_write(ScannedFile& file, const Fd& source, const storage::ChunkTrail& older);
  void gather(const Digest& digest, std::span<const std::byte> bytes);
  void write_gathered();
  bool is_known(const Digest& digest);

  ApiClient& server_;
  UploadSession upload_;
  const PushBase& base_;
  PackOutlet& outlet_;
  ChunkFinder& finder_;
  Progress& progress_;
  storage::BlobWriter writer_;
  std::vector<std::byte> buffer_;
  std::vector<Gathered> gathered_;
  std::size_t gathered_bytes_ = 0;
  std::unordered_set<Digest> seen_;  // small files that were gathered before
};

}  // namespace mendel::cli
