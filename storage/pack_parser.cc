#include <algorithm>
#include <string>

#include "storage/base/crc32c.h"
#include "storage/pack.h"
#include "storage/pack_format.h"

// The parser always waits for one piece whose size it knows: the pack's header, a record's
// header, a record's bytes, or the tail (index and trailer). A piece that lies whole in the
// appended bytes is used where it lies; only one that is cut by the end of an append() is
// gathered. The tail follows from the records, so that its bytes are compared as they come.

namespace mendel::storage {

using pack_format::kHeaderSizeBytes;
using pack_format::kRecordHeaderSizeBytes;

namespace {

// A record beyond this is a rare, large manifest: its memory is given back at once.
constexpr std::size_t kBufferKeptBytes = kRecipeSizeMax;

void release_if_large(std::vector<std::byte>& buffer) {
  if (buffer.capacity() > kBufferKeptBytes) buffer = std::vector<std::byte>();
}

}  // namespace

class PackParser::Impl {
 public:
  Impl(Visitor& visitor, ErrorCode on_damage) : visitor_(visitor), on_damage_(on_damage) {}

  void append(std::span<const std::byte> data) {
    unreported_ = data.first(0);
    while (const auto piece = take_piece(data)) {
      consume(*piece);
      partial_.clear();
    }
    report_bytes();
  }

  void finish() const {
    if (awaited_ == Awaited::header && partial_.empty()) return;
    throw_damaged("the stream ends before the pack does");
  }

 private:
  enum class Awaited { header, record_header, record, tail };

  // Returns the awaited piece once all of it is there, and removes it from data.
  std::optional<std::span<const std::byte>> take_piece(std::span<const std::byte>& data) {
    const std::size_t missing = piece_size_ - partial_.size();
    const auto taken = data.first(std::min(missing, data.size()));
    data = data.subspan(taken.size());
    unreported_ = {unreported_.data(), unreported_.size() + taken.size()};
    if (taken.size() == piece_size_) return taken;
    partial_.insert(partial_.end(), taken.begin(), taken.end());
    if (taken.size() < missing) return std::nullopt;
    return partial_;
  }

  void consume(std::span<const std::byte> piece) {
    switch (awaited_) {
      case Awaited::header: return consume_header(piece);
      case Awaited::record_header:
        return consume_record_header(piece.first<kRecordHeaderSizeBytes>());
      case Awaited::record: return consume_record(piece);
      case Awaited::tail: return consume_tail(piece);
    }
  }

  void consume_header(std::span<const std::byte> piece) {
    if (!std::ranges::equal(piece, pack_format::encode_header())) {
      throw_damaged("this is not the header of a pack of version 1");
    }
    size_bytes_ = kHeaderSizeBytes + pack_format::tail_size_bytes(0);
    offset_ = kHeaderSizeBytes;
    await(Awaited::record_header, kRecordHeaderSizeBytes);
  }

  void consume_record_header(std::span<const std::byte, kRecordHeaderSizeBytes> piece) {
    if (piece[0] == pack_format::kIndexType) return begin_tail(piece);
    if (const auto problem = pack_format::record_header_problem(piece)) {
      throw_damaged(*problem);
    }
    const RecordHeader header = pack_format::decode_record_header(piece);
    size_bytes_ += 2 * kRecordHeaderSizeBytes + header.stored_size_bytes;
    if (headers_.size() == kPackRecordsMax) throw_damaged("the pack has too many records");
    if (size_bytes_ > kPackSizeMax) throw_damaged("the pack is too large");
    headers_.push_back(header);
    await(Awaited::record, header.stored_size_bytes);
  }

  void consume_record(std::span<const std::byte> stored) {
    const RecordHeader& header = headers_.back();
    if (crc32c(stored) != header.checksum) throw_damaged("the record's checksum differs");
    const std::span<const std::byte> raw = decode(header, stored);
    if (digest_of(header, raw) != header.digest) {
      throw_damaged("the record's SHA-256 differs");
    }
    report_bytes();
    visitor_.record(header, raw);
    offset_ += kRecordHeaderSizeBytes + stored.size();
    release_if_large(raw_);
    release_if_large(partial_);
    await(Awaited::record_header, kRecordHeaderSizeBytes);
  }

  Digest digest_of(const RecordHeader& header, std::span<const std::byte> raw) {
    Sha256* const around = visitor_.message_around(header);
    if (around == nullptr) return Digest::of(raw);
    Sha256 record;
    Sha256::update_both(record, *around, raw);
    return record.finish();
  }

  std::span<const std::byte> decode(const RecordHeader& header,
                                    std::span<const std::byte> stored) {
    if (header.codec == Codec::raw) return stored;
    const std::size_t size = header.raw_size_bytes;
    const bool is_plausible = stated_raw_size(header.codec, stored) == size;
    if (is_plausible && raw_.size() < size) raw_.resize(size);
    if (!is_plausible ||
        !try_decompress(header.codec, stored, std::span(raw_).first(size))) {
      throw_damaged("the record does not decompress to its raw size");
    }
    return std::span(raw_).first(size);
  }

  void begin_tail(std::span<const std::byte, kRecordHeaderSizeBytes> index_header) {
    if (headers_.empty()) throw_damaged("the pack has no records");
    tail_ = pack_format::encode_tail(headers_);
    tail_left_ = tail_.bytes;
    compare_with_tail(index_header);
    await(Awaited::tail, kRecordHeaderSizeBytes);
  }

  void consume_tail(std::span<const std::byte> piece) {
    compare_with_tail(piece);
    if (tail_left_.empty()) end_pack();
  }

  void compare_with_tail(std::span<const std::byte> piece) {
    if (!std::ranges::equal(piece, tail_left_.first(piece.size()))) {
      throw_damaged("the index does not agree with the records");
    }
    tail_left_ = tail_left_.subspan(piece.size());
    offset_ += piece.size();
  }

  void end_pack() {
    report_bytes();
    PackIndex index(tail_.name, size_bytes_, std::move(headers_));
    headers_.clear();
    tail_ = {};
    offset_ = 0;
    ++packs_ended_;
    await(Awaited::header, kHeaderSizeBytes);
    visitor_.pack_end(std::move(index));
  }

  void await(Awaited awaited, std::size_t piece_size_bytes) {
    awaited_ = awaited;
    piece_size_ = piece_size_bytes;
  }

  void report_bytes() {
    if (!unreported_.empty()) visitor_.pack_bytes(unreported_);
    unreported_ = unreported_.last(0);
  }

  [[noreturn]] void throw_damaged(std::string_view problem) const {
    throw Error(on_damage_, "pack " + std::to_string(packs_ended_ + 1) +
                                " of the stream, byte " + std::to_string(offset_) + ": " +
                                std::string(problem));
  }

  Visitor& visitor_;
  const ErrorCode on_damage_;

  Awaited awaited_ = Awaited::header;
  std::size_t piece_size_ = kHeaderSizeBytes;
  std::vector<std::byte> partial_;         // the beginning of the piece, if it was cut
  std::span<const std::byte> unreported_;  // taken from this append(), not yet handed on

  std::uint64_t packs_ended_ = 0;
  std::uint64_t offset_ = 0;  // in the pack, of the record or tail entry that is awaited
  std::uint64_t size_bytes_ = 0;  // of the pack, as if it ended here
  std::vector<RecordHeader> headers_;
  std::vector<std::byte> raw_;
  pack_format::Tail tail_;
  std::span<const std::byte> tail_left_;
};

PackParser::PackParser(Visitor& visitor, ErrorCode on_damage)
    : impl_(std::make_unique<Impl>(visitor, on_damage)) {}
PackParser::~PackParser() = default;

void PackParser::append(std::span<const std::byte> data) { impl_->append(data); }
void PackParser::finish() { impl_->finish(); }

}  // namespace mendel::storage
