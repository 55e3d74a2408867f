#include "storage/pack_format.h"

#include <algorithm>

#include "storage/base/crc32c.h"
#include "storage/chunker.h"

namespace mendel::storage {

std::uint32_t raw_size_max(RecordType type) {
  switch (type) {
    case RecordType::chunk:
    case RecordType::blob: return kChunkSizeMax;
    case RecordType::recipe: return kRecipeSizeMax;
    case RecordType::manifest: return kManifestSizeMax;
  }
  return 0;
}

}  // namespace mendel::storage

namespace mendel::storage::pack_format {

namespace {

constexpr std::string_view kOpeningMagic = "MENDELPK";
constexpr std::string_view kClosingMagic = "KPLEDNEM";
constexpr std::uint32_t kVersion = 1;

void put_u32(std::span<std::byte, 4> bytes, std::uint32_t value) {
  for (std::byte& b : bytes) {
    b = static_cast<std::byte>(value);
    value >>= 8;
  }
}

std::uint32_t get_u32(std::span<const std::byte, 4> bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = 4; i-- > 0;)
    value = value << 8 | std::to_integer<std::uint32_t>(bytes[i]);
  return value;
}

EncodedRecordHeader encode_index_header(std::span<const std::byte> entries,
                                        const Digest& name) {
  const auto size = static_cast<std::uint32_t>(entries.size());
  return encode_record_header({.type = static_cast<RecordType>(kIndexType),
                               .codec = Codec::raw,
                               .checksum = crc32c(entries),
                               .raw_size_bytes = size,
                               .stored_size_bytes = size,
                               .digest = name});
}

std::array<std::byte, kTrailerSizeBytes> encode_trailer(std::size_t record_count,
                                                        const Digest& name) {
  std::array<std::byte, kTrailerSizeBytes> bytes{};
  const std::span out(bytes);
  put_u32(out.subspan<0, 4>(), static_cast<std::uint32_t>(record_count));
  put_u32(out.subspan<4, 4>(),
          static_cast<std::uint32_t>(record_count * kRecordHeaderSizeBytes));
  std::ranges::copy(name.bytes(), out.subspan<8, 32>().begin());
  std::ranges::copy(as_bytes(kClosingMagic), out.subspan<40, 8>().begin());
  return bytes;
}

}  // namespace

EncodedHeader encode_header() {
  EncodedHeader bytes{};
  const std::span out(bytes);
  std::ranges::copy(as_bytes(kOpeningMagic), out.begin());
  put_u32(out.subspan<8, 4>(), kVersion);
  return bytes;
}

EncodedRecordHeader encode_record_header(const RecordHeader& header) {
  EncodedRecordHeader bytes{};
  const std::span out(bytes);
  out[0] = static_cast<std::byte>(header.type);
  out[1] = static_cast<std::byte>(header.codec);
  put_u32(out.subspan<4, 4>(), header.checksum);
  put_u32(out.subspan<8, 4>(), header.raw_size_bytes);
  put_u32(out.subspan<12, 4>(), header.stored_size_bytes);
  std::ranges::copy(header.digest.bytes(), out.subspan<16, 32>().begin());
  return bytes;
}

RecordHeader decode_record_header(
    std::span<const std::byte, kRecordHeaderSizeBytes> bytes) {
  return {.type = static_cast<RecordType>(bytes[0]),
          .codec = static_cast<Codec>(bytes[1]),
          .checksum = get_u32(bytes.subspan<4, 4>()),
          .raw_size_bytes = get_u32(bytes.subspan<8, 4>()),
          .stored_size_bytes = get_u32(bytes.subspan<12, 4>()),
          .digest = Digest::from_bytes(bytes.subspan<16, 32>())};
}

std::optional<std::string_view> record_header_problem(
    std::span<const std::byte, kRecordHeaderSizeBytes> bytes) {
  const RecordHeader header = decode_record_header(bytes);
  const std::uint32_t raw_max = raw_size_max(header.type);
  if (raw_max == 0) return "the record has an unknown type";
  if (header.codec != Codec::raw && header.codec != Codec::zstd) {
    return "the record has an unknown codec";
  }
  if (bytes[2] != std::byte{} || bytes[3] != std::byte{}) {
    return "reserved bytes of the record header are not zero";
  }
  if (header.raw_size_bytes > raw_max) return "the record is larger than its type may be";
  if (header.codec == Codec::raw && header.stored_size_bytes != header.raw_size_bytes) {
    return "the record is stored raw, but its two sizes differ";
  }
  if (header.codec == Codec::zstd && header.stored_size_bytes >= header.raw_size_bytes) {
    return "the record is compressed, but not smaller than raw";
  }
  return std::nullopt;
}

std::uint64_t tail_size_bytes(std::size_t record_count) {
  return kRecordHeaderSizeBytes * (record_count + 1) + kTrailerSizeBytes;
}

Tail encode_tail(std::span<const RecordHeader> headers) {
  std::vector<std::byte> bytes(tail_size_bytes(headers.size()));
  const std::span entries = std::span(bytes).subspan(
      kRecordHeaderSizeBytes, headers.size() * kRecordHeaderSizeBytes);
  auto entry = entries.begin();
  for (const RecordHeader& header : headers) {
    entry = std::ranges::copy(encode_record_header(header), entry).out;
  }
  const Digest name = Digest::of(entries);
  std::ranges::copy(encode_index_header(entries, name), bytes.begin());
  std::ranges::copy(encode_trailer(headers.size(), name), entry);
  return {name, std::move(bytes)};
}

std::optional<std::size_t> record_count_in(
    std::span<const std::byte, kTrailerSizeBytes> trailer) {
  const std::size_t count = get_u32(trailer.subspan<0, 4>());
  if (count == 0 || count > kPackRecordsMax) return std::nullopt;
  if (as_text(trailer.subspan<40, 8>()) != kClosingMagic) return std::nullopt;
  return count;
}

}  // namespace mendel::storage::pack_format
