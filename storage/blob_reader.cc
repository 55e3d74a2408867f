#include "storage/blob_reader.h"

#include <algorithm>
#include <string>

#include "storage/base/error.h"
#include "storage/base/sha256.h"
#include "storage/chunker.h"

namespace mendel::storage {

BlobReader::BlobReader(PackCache& packs, const BlobLocation& blob, std::uint64_t offset,
                       std::uint64_t length)
    : leaves_(packs, blob, offset), records_(packs), position_(offset), left_(length) {
  if (offset > blob.size_bytes || length > blob.size_bytes - offset) {
    throw Error(ErrorCode::out_of_range,
                "the blob has " + std::to_string(blob.size_bytes) + " bytes");
  }
}

std::size_t BlobReader::read(std::span<std::byte> buffer) {
  buffer = buffer.first(std::min<std::uint64_t>(buffer.size(), left_));
  std::size_t filled = 0;
  while (filled < buffer.size()) {
    if (entry_ == leaf_.entries.size()) open_leaf_at(position_);
    const std::size_t count = read_from_entry(buffer.subspan(filled));
    filled += count;
    position_ += count;
    left_ -= count;
  }
  return filled;
}

void BlobReader::open_leaf_at(std::uint64_t offset) {
  auto leaf = leaves_.next();
  if (!leaf) throw Error(ErrorCode::data_loss, "the recipe ends before its blob");
  leaf_ = std::move(*leaf);
  entry_ = 0;
  std::uint64_t skipped = leaves_.leaf_offset();
  while (skipped + entry().size_bytes <= offset)
    skipped += leaf_.entries[entry_++].size_bytes;
  entry_offset_ = offset - skipped;
}

std::size_t BlobReader::read_from_entry(std::span<std::byte> buffer) {
  const std::size_t size = entry().size_bytes;
  const std::size_t count = std::min(buffer.size(), size - entry_offset_);
  if (count == size) {
    read_chunk(buffer.first(size));
  } else {
    if (chunk_.empty()) {
      chunk_.resize(size);
      read_chunk(chunk_);
    }
    std::copy_n(chunk_.begin() + static_cast<std::ptrdiff_t>(entry_offset_), count,
                buffer.begin());
  }
  entry_offset_ += count;
  if (entry_offset_ == size) {
    ++entry_;
    entry_offset_ = 0;
    chunk_.clear();
  }
  return count;
}

void BlobReader::read_chunk(std::span<std::byte> raw) {
  records_.read(leaf_.packs[entry().pack - 1], RecordType::chunk, entry().digest, raw);
}

void verify_blob(PackCache& packs, const BlobLocation& blob) {
  LeafReader leaves(packs, blob);
  RecordReader records(packs);
  Sha256 sha256;
  std::vector<std::byte> chunk;
  std::uint64_t size_read = 0;
  while (const auto leaf = leaves.next()) {
    for (const auto& entry : leaf->entries) {
      chunk.resize(entry.size_bytes);
      records.read(leaf->packs[entry.pack - 1], RecordType::chunk, entry.digest, chunk);
      if (Digest::of(chunk) != entry.digest) {
        throw Error(ErrorCode::data_loss,
                    "the bytes of chunk " + entry.digest.to_string() + " are not its own");
      }
      size_read += chunk.size();
      if (chunk.size() < kChunkSizeMin && size_read != blob.size_bytes) {
        throw Error(ErrorCode::data_loss, "chunk " + entry.digest.to_string() +
                                              " is too small and does not end the blob");
      }
      sha256.update(chunk);
    }
  }
  if (sha256.finish() != blob.digest) {
    throw Error(ErrorCode::data_loss,
                "the bytes of blob " + blob.digest.to_string() + " are not its own");
  }
}

}  // namespace mendel::storage
