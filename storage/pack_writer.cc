#include <cassert>

#include "storage/base/crc32c.h"
#include "storage/pack.h"
#include "storage/pack_format.h"

namespace mendel::storage {

namespace {

unsigned bit_of(RecordType type) { return 1u << static_cast<unsigned>(type); }

}  // namespace

PackWriter::PackWriter(Sink& sink)
    : sink_(sink),
      size_bytes_(pack_format::kHeaderSizeBytes + pack_format::tail_size_bytes(0)) {
  sink_.write(pack_format::encode_header());
}

bool PackWriter::contains(RecordType type, const Digest& digest) const {
  const auto types = types_by_digest_.find(digest);
  return types != types_by_digest_.end() && (types->second & bit_of(type)) != 0;
}

void PackWriter::add(RecordType type, const Digest& digest,
                     std::span<const std::byte> raw) {
  if (contains(type, digest)) return;
  if (raw.size() > raw_size_max(type)) {
    throw Error(ErrorCode::too_large, "a record of " + std::to_string(raw.size()) +
                                          " bytes: its type allows " +
                                          std::to_string(raw_size_max(type)));
  }
  const auto [codec, stored] = compressor_.compress(raw);
  add_stored({.type = type,
              .codec = codec,
              .checksum = crc32c(stored),
              .raw_size_bytes = static_cast<std::uint32_t>(raw.size()),
              .stored_size_bytes = static_cast<std::uint32_t>(stored.size()),
              .digest = digest},
             stored);
}

void PackWriter::add_stored(const RecordHeader& header, std::span<const std::byte> stored) {
  if (contains(header.type, header.digest)) return;
  const std::uint64_t size_with_it =
      size_bytes_ + 2 * pack_format::kRecordHeaderSizeBytes + stored.size();
  if (headers_.size() == kPackRecordsMax || size_with_it > kPackSizeMax) {
    throw Error(ErrorCode::too_large, "the pack is full");
  }
  sink_.write(pack_format::encode_record_header(header));
  sink_.write(stored);
  headers_.push_back(header);
  types_by_digest_[header.digest] |= bit_of(header.type);
  size_bytes_ = size_with_it;
}

PackIndex PackWriter::finish() {
  assert(!headers_.empty());
  const pack_format::Tail tail = pack_format::encode_tail(headers_);
  sink_.write(tail.bytes);
  return PackIndex(tail.name, size_bytes_, std::move(headers_));
}

}  // namespace mendel::storage
