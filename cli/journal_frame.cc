// A journal is its head and then frames, back to back, numbers in little endian:
//
//   head     16  "mendel journal 1"
//            32  which journal this is: a UUID without its hyphens
//
//   frame     4  ff 4d 4a 01             no byte ff occurs in a payload, which is UTF-8
//             4  CRC-32C of the two fields that follow
//             4  n, at most 16 MiB
//             n  the payload: a record, which is a JSON object (journal.cc)
//             4  n again
//             4  ff 4d 4a 02
//
// The length at the end lets an append look at the last frame alone. Whoever is killed
// while appending leaves the beginning of a frame, which the next append cuts off. Bytes
// that are no frame although one follows were damaged by something else: they are passed
// over, and reported.

#include "cli/journal_frame.h"

#include "storage/base/clock.h"
#include "storage/base/crc32c.h"
#include "storage/base/digest.h"
#include "storage/base/error.h"
#include "storage/base/uuid.h"

namespace mendel::cli {

namespace {

constexpr std::string_view kMagic = "mendel journal 1";
constexpr std::string_view kBeginMark = "\xffMJ\x01";
constexpr std::string_view kEndMark = "\xffMJ\x02";
constexpr std::size_t kMarkSize = 4;
constexpr std::size_t kPrefixSize = 12;  // mark, checksum, length
constexpr std::size_t kSuffixSize = 8;   // length, mark
constexpr std::size_t kWindowSize = 64u << 10;

void append_number(std::string& out, std::uint32_t number) {
  for (int shift = 0; shift < 32; shift += 8) out += char(number >> shift & 0xff);
}

std::uint32_t number_at(std::string_view bytes) {
  std::uint32_t number = 0;
  for (int i = 3; i >= 0; --i) number = number << 8 | std::uint8_t(bytes[i]);
  return number;
}

std::string read_text(const ReadAt& read, std::uint64_t offset, std::size_t size) {
  std::string text(size, '\0');
  text.resize(read(offset, std::as_writable_bytes(std::span(text))));
  return text;
}

std::string suffix_of(std::uint32_t size) {
  std::string suffix;
  append_number(suffix, size);
  return suffix.append(kEndMark);
}

}  // namespace

std::string new_journal_head() {
  std::string id = make_uuid_v7(SystemClock().now());
  std::erase(id, '-');
  return std::string(kMagic) + id;
}

std::optional<std::string> find_journal_id(std::string_view head) {
  if (head.size() < kJournalHeadSize || !head.starts_with(kMagic)) return std::nullopt;
  return std::string(head.substr(kMagic.size(), kJournalHeadSize - kMagic.size()));
}

std::string encode_journal_frame(std::string_view payload) {
  if (payload.size() > kJournalPayloadSizeMax) {
    throw Error(ErrorCode::too_large, "a record of a journal has at most 16 MiB");
  }
  std::string checked;
  checked.reserve(payload.size() + 4);
  append_number(checked, std::uint32_t(payload.size()));
  checked.append(payload);

  std::string frame(kBeginMark);
  append_number(frame, crc32c(as_bytes(checked)));
  frame.append(checked);
  return frame.append(suffix_of(std::uint32_t(payload.size())));
}

std::optional<JournalItem> JournalReader::find_frame(std::uint64_t begin) {
  const std::string prefix = read_text(read_, begin, kPrefixSize);
  if (prefix.size() < kPrefixSize || !prefix.starts_with(kBeginMark)) return std::nullopt;
  const std::uint32_t size = number_at(std::string_view(prefix).substr(8));
  if (size > kJournalPayloadSizeMax) return std::nullopt;

  // The cheap look first: what claims to be long mostly is not.
  const std::uint64_t payload_end = begin + kPrefixSize + size;
  if (read_text(read_, payload_end, kSuffixSize) != suffix_of(size)) return std::nullopt;
  std::string checked = read_text(read_, begin + 8, 4 + size);
  if (checked.size() != 4 + size) return std::nullopt;
  if (crc32c(as_bytes(checked)) != number_at(std::string_view(prefix).substr(kMarkSize)))
    return std::nullopt;
  return JournalItem{begin, payload_end + kSuffixSize, checked.substr(4)};
}

std::optional<std::uint64_t> JournalReader::find_next_frame(std::uint64_t after) {
  for (std::uint64_t offset = after;;) {
    const std::string window = read_text(read_, offset, kWindowSize);
    for (std::size_t found = window.find(kBeginMark); found != window.npos;
         found = window.find(kBeginMark, found + 1)) {
      if (find_frame(offset + found)) return offset + found;
    }
    if (window.size() < kWindowSize) return std::nullopt;
    offset += kWindowSize - (kMarkSize - 1);
  }
}

std::optional<JournalItem> JournalReader::next() {
  if (auto item = find_frame(offset_)) {
    offset_ = item->end;
    return item;
  }
  const auto later = find_next_frame(offset_ + 1);
  if (!later) return std::nullopt;
  const JournalItem damaged{offset_, *later, std::nullopt};
  offset_ = *later;
  return damaged;
}

bool frame_ends_at(const ReadAt& read, std::uint64_t end) {
  if (end < kPrefixSize + kSuffixSize) return false;
  const std::string suffix = read_text(read, end - kSuffixSize, kSuffixSize);
  const std::uint64_t size = number_at(suffix) + kPrefixSize + kSuffixSize;
  if (end < size || !suffix.ends_with(kEndMark)) return false;
  JournalReader reader(read, end - size);
  const auto item = reader.next();
  return item && item->payload && item->end == end;
}

}  // namespace mendel::cli
