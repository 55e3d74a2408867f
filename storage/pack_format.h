#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "storage/base/digest.h"
#include "storage/pack.h"

// The bytes of a pack, format version 1. Private to the pack_*.cc files.
//
//   pack   = header record… index trailer
//
//   header   16 bytes
//      0   8  "MENDELPK"
//      8   4  version = 1
//     12   4  zero
//
//   record   48 bytes, then the stored bytes
//      0   1  type: 1 chunk, 2 blob, 3 recipe, 4 manifest
//      1   1  codec: 0 raw, 1 zstd (one frame of RFC 8878 that states its content size)
//      2   2  zero
//      4   4  CRC-32C (RFC 3720) of the stored bytes
//      8   4  raw size
//     12   4  stored size: with codec raw the raw size, with zstd less than it
//     16  32  SHA-256 of the raw bytes
//
//   index    laid out as a record of type 255 and codec raw, whose bytes are the 48-byte
//            headers of all records in their order: its digest is the pack's name
//
//   trailer  48 bytes
//      0   4  number of records, at least 1
//      4   4  size of the index's bytes = 48 × number of records
//      8  32  the pack's name, again
//     40   8  "KPLEDNEM"
//
// Numbers are little-endian and unsigned. A reader of a stream learns from every 48 bytes
// what follows and how long it is; a reader of an object finds the index from its last
// bytes. Where a record lies follows from summing the sizes before it. Given the record
// headers there is exactly one index and trailer, so checking them is comparing bytes.
namespace mendel::storage::pack_format {

inline constexpr std::size_t kHeaderSizeBytes = 16;
inline constexpr std::size_t kRecordHeaderSizeBytes = 48;
inline constexpr std::size_t kTrailerSizeBytes = 48;
inline constexpr std::byte kIndexType{0xff};

using EncodedHeader = std::array<std::byte, kHeaderSizeBytes>;
using EncodedRecordHeader = std::array<std::byte, kRecordHeaderSizeBytes>;

EncodedHeader encode_header();
EncodedRecordHeader encode_record_header(const RecordHeader& header);

// The rule that the bytes of a record header break; nullopt for a good one.
std::optional<std::string_view> record_header_problem(
    std::span<const std::byte, kRecordHeaderSizeBytes> bytes);
RecordHeader decode_record_header(std::span<const std::byte, kRecordHeaderSizeBytes> bytes);

// Index and trailer.
struct Tail {
  Digest name;
  std::vector<std::byte> bytes;
};
Tail encode_tail(std::span<const RecordHeader> headers);
std::uint64_t tail_size_bytes(std::size_t record_count);

// What the trailer says; nullopt if it is none or says a number outside the limits.
std::optional<std::size_t> record_count_in(
    std::span<const std::byte, kTrailerSizeBytes> trailer);

}  // namespace mendel::storage::pack_format
