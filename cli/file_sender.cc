#include "cli/file_sender.h"

#include <fcntl.h>

#include "cli/interrupt.h"
#include "storage/chunker.h"

namespace mendel::cli {

namespace {

constexpr std::size_t kReadSizeBytes = 1u << 20;
constexpr std::size_t kCutSizeBytes = 256u << 10;  // is hashed before it leaves the cache
constexpr int kReadsMax = 3;

// How much is read between two looks whether the server has nothing to do: it hashes stored
// chunks while the next ones are being looked for, and is not kept waiting for long.
constexpr std::uint64_t kNudgeSizeBytes = 4u << 20;

// How much may be read while a request is open and nothing is sent.
constexpr std::uint64_t kSilentSizeMax = 256u << 20;

bool same_content(const FileStamp& before, const FileStamp& after) {
  return before.size_bytes == after.size_bytes && before.mtime_ns == after.mtime_ns;
}

}  // namespace

FileSender::FileSender(ApiClient& server, UploadSession upload, const PushBase& base,
                       PackOutlet& outlet, ChunkFinder& finder, Progress& progress)
    : server_(server),
      upload_(std::move(upload)),
      base_(base),
      outlet_(outlet),
      finder_(finder),
      progress_(progress),
      writer_(outlet, finder),
      buffer_(kReadSizeBytes) {}

void FileSender::send(ScannedFile& file) {
  for (int reads = 0; reads < kReadsMax; ++reads) {
    throw_if_interrupted();
    const Fd source = open_for_reading(file.source);
    const FileStamp before = stamp_of(source, file.source.native());
    send_once(file, source, before.size_bytes);
    const FileStamp after = stamp_of(source, file.source.native());
    if (same_content(before, after) && file.entry.size_bytes == before.size_bytes) return;
  }
  throw Error(ErrorCode::aborted, file.source.string() + " changes while it is read");
}

void FileSender::send_once(ScannedFile& file, const Fd& source, std::uint64_t size_bytes) {
  if (size_bytes <= storage::kChunkSizeMax && send_as_small_file(file, source, size_bytes))
    return;

  const storage::ManifestFile* before = base_.find_file(file.entry);
  if (before) {
    const auto chunks =
        read_base_chunks(server_, base_.recipe_path(*before), finder_.told());
    if (before->size_bytes == size_bytes && is_unchanged(file, source, chunks)) {
      file.entry.digest = before->digest;
      file.entry.size_bytes = size_bytes;
      progress_.add(size_bytes);
      return;
    }
    return cut_and_write(file, source, chunks.trail);
  }
  cut_and_write(file, source, {});
}

bool FileSender::send_as_small_file(ScannedFile& file, const Fd& source,
                                    std::uint64_t size_bytes) {
  const auto bytes = std::span(buffer_).first(
      read_at(source, file.source.native(), 0, std::span(buffer_).first(size_bytes + 1)));
  if (storage::first_chunk_size(bytes) != bytes.size()) return false;

  file.entry.digest = Digest::of(bytes);
  file.entry.size_bytes = bytes.size();
  progress_.add(bytes.size());
  if (!is_known(*file.entry.digest)) gather(*file.entry.digest, bytes);
  return true;
}

bool FileSender::is_unchanged(const ScannedFile& file, const Fd& source,
                              const BaseChunks& base) {
  if (!base.complete) return false;
  if (file.entry.size_bytes > kSilentSizeMax) finish();
  std::uint64_t offset = 0;
  for (const auto& chunk : base.trail.chunks()) {
    throw_if_interrupted();
    const auto wanted = std::span(buffer_).first(chunk.size_bytes);
    if (read_at(source, file.source.native(), offset, wanted) != wanted.size())
      return false;
    if (Digest::of(wanted) != chunk.digest) return false;
    offset += chunk.size_bytes;
  }
  return read_at(source, file.source.native(), offset, std::span(buffer_).first(1)) == 0;
}

void FileSender::cut_and_write(ScannedFile& file, const Fd& source,
                               const storage::ChunkTrail& older) {
  write_gathered();
  writer_.follow(older);
  ::posix_fadvise(source.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
  std::uint64_t offset = 0;
  for (;;) {
    throw_if_interrupted();
    const auto room = writer_.room();
    const auto wanted = room.first(std::min(room.size(), kCutSizeBytes));
    const std::size_t count = read_at(source, file.source.native(), offset, wanted);
    writer_.filled(count);
    offset += count;
    progress_.add(count);
    if (offset % kNudgeSizeBytes == 0) outlet_.nudge();
    if (count < wanted.size()) break;
  }
  file.entry.digest = writer_.end_blob();
  file.entry.size_bytes = offset;
}

void FileSender::gather(const Digest& digest, std::span<const std::byte> bytes) {
  gathered_.push_back({digest, {bytes.begin(), bytes.end()}});
  gathered_bytes_ += bytes.size();
  if (gathered_.size() == kGatheredFilesMax || gathered_bytes_ >= kGatheredBytesMax) {
    write_gathered();
  }
}

void FileSender::write_gathered() {
  if (gathered_.empty()) return;
  std::vector<Digest> digests;
  digests.reserve(gathered_.size());
  for (const Gathered& blob : gathered_) digests.push_back(blob.digest);
  for (const std::size_t missing : upload_.find_missing_blobs(digests)) {
    writer_.add_small_blob(gathered_[missing].digest, gathered_[missing].bytes);
  }
  gathered_.clear();
  gathered_bytes_ = 0;
}

bool FileSender::is_known(const Digest& digest) {
  return base_.has_blob(digest) || !seen_.insert(digest).second;
}

void FileSender::add_manifest(const Digest& digest, std::string_view bytes) {
  writer_.add_manifest(digest, as_bytes(bytes));
}

void FileSender::finish() {
  write_gathered();
  writer_.flush();
  outlet_.finish_request();
}

}  // namespace mendel::cli
