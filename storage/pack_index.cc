#include <algorithm>
#include <numeric>

#include "storage/base/crc32c.h"
#include "storage/object_keys.h"
#include "storage/pack.h"
#include "storage/pack_format.h"

namespace mendel::storage {

namespace {

// One read of this size has the index of a pack of up to 1300 records.
constexpr std::size_t kTailGuessBytes = 64 * 1024;

bool holds(RecordType stored, RecordType wanted) {
  const auto is_chunk = [](RecordType type) {
    return type == RecordType::chunk || type == RecordType::blob;
  };
  return stored == wanted || (is_chunk(stored) && is_chunk(wanted));
}

[[noreturn]] void throw_damaged(const Digest& pack_name, const std::string& problem) {
  throw Error(ErrorCode::data_loss, "pack " + pack_name.hex() + ": " + problem);
}

// The last bytes of the pack's object, in front of those that are known already.
void extend_to_the_front(ObjectStore& objects, const Digest& pack_name,
                         std::uint64_t pack_size_bytes, std::uint64_t wanted,
                         std::vector<std::byte>& tail) {
  const std::size_t missing = wanted - tail.size();
  tail.insert(tail.begin(), missing, std::byte{});
  if (objects.read(pack_key(pack_name), pack_size_bytes - wanted,
                   std::span(tail).first(missing)) != missing) {
    throw_damaged(pack_name, "its object is shorter than it was said to be");
  }
}

std::vector<RecordHeader> decode_index(const Digest& pack_name,
                                       std::span<const std::byte> tail) {
  using namespace pack_format;
  std::vector<RecordHeader> headers;
  const std::size_t end = tail.size() - kTrailerSizeBytes;
  for (std::size_t at = kRecordHeaderSizeBytes; at < end; at += kRecordHeaderSizeBytes) {
    const auto entry = tail.subspan(at).first<kRecordHeaderSizeBytes>();
    if (const auto problem = record_header_problem(entry)) {
      throw_damaged(pack_name, "its index: " + std::string(*problem));
    }
    headers.push_back(decode_record_header(entry));
  }
  return headers;
}

std::uint64_t size_of_pack(std::span<const RecordHeader> headers) {
  std::uint64_t size = pack_format::kHeaderSizeBytes;
  for (const RecordHeader& header : headers) {
    size += pack_format::kRecordHeaderSizeBytes + header.stored_size_bytes;
  }
  return size + pack_format::tail_size_bytes(headers.size());
}

}  // namespace

PackIndex::PackIndex(const Digest& name, std::uint64_t pack_size_bytes,
                     std::vector<RecordHeader> headers_in_order)
    : name_(name), pack_size_bytes_(pack_size_bytes), by_digest_(headers_in_order.size()) {
  records_.reserve(headers_in_order.size());
  std::uint64_t offset = pack_format::kHeaderSizeBytes;
  for (const RecordHeader& header : headers_in_order) {
    offset += pack_format::kRecordHeaderSizeBytes;
    records_.push_back({header, offset});
    offset += header.stored_size_bytes;
  }
  std::iota(by_digest_.begin(), by_digest_.end(), 0);
  std::ranges::sort(by_digest_, {}, [&](std::uint32_t i) -> const Digest& {
    return records_[i].header.digest;
  });
}

const RecordLocation* PackIndex::find(RecordType type, const Digest& digest) const {
  const auto digest_at = [&](std::uint32_t i) -> const Digest& {
    return records_[i].header.digest;
  };
  for (auto i = std::ranges::lower_bound(by_digest_, digest, {}, digest_at);
       i != by_digest_.end() && digest_at(*i) == digest; ++i) {
    if (holds(records_[*i].header.type, type)) return &records_[*i];
  }
  return nullptr;
}

std::size_t PackIndex::memory_bytes() const {
  return sizeof *this + records_.capacity() * sizeof records_[0] +
         by_digest_.capacity() * sizeof by_digest_[0];
}

PackIndex read_pack_index(ObjectStore& objects, const Digest& pack_name) {
  using namespace pack_format;
  const auto object = objects.find(pack_key(pack_name));
  if (!object) throw Error(ErrorCode::not_found, "there is no pack " + pack_name.hex());
  const std::uint64_t size = object->size_bytes;
  if (size < kHeaderSizeBytes + tail_size_bytes(1) || size > kPackSizeMax) {
    throw_damaged(pack_name, "an object of " + std::to_string(size) + " bytes is no pack");
  }

  std::vector<std::byte> tail;
  extend_to_the_front(objects, pack_name, size,
                      std::min<std::uint64_t>(size, kTailGuessBytes), tail);
  const auto count = record_count_in(std::span(tail).last<kTrailerSizeBytes>());
  if (!count || tail_size_bytes(*count) > size) {
    throw_damaged(pack_name, "its trailer is damaged");
  }
  const std::size_t wanted = tail_size_bytes(*count);
  if (wanted > tail.size()) extend_to_the_front(objects, pack_name, size, wanted, tail);
  tail.erase(tail.begin(), tail.end() - static_cast<std::ptrdiff_t>(wanted));

  std::vector<RecordHeader> headers = decode_index(pack_name, tail);
  const Tail expected = encode_tail(headers);
  if (expected.bytes != tail) throw_damaged(pack_name, "its index is damaged");
  if (expected.name != pack_name) {
    throw_damaged(pack_name, "its index is that of pack " + expected.name.hex());
  }
  if (size_of_pack(headers) != size) {
    throw_damaged(pack_name, "its records and its size do not agree");
  }
  return PackIndex(pack_name, size, std::move(headers));
}

void read_record(ObjectStore& objects, const Digest& pack_name,
                 const RecordLocation& location, std::vector<std::byte>& scratch,
                 std::span<std::byte> raw) {
  const RecordHeader& header = location.header;
  const auto where = [&] {
    return "the record at byte " + std::to_string(location.offset) + ", " +
           header.digest.to_string();
  };
  std::span<std::byte> stored = raw;
  if (header.codec != Codec::raw) {
    scratch.resize(header.stored_size_bytes);
    stored = scratch;
  }
  if (objects.read(pack_key(pack_name), location.offset, stored) != stored.size()) {
    throw_damaged(pack_name, "it ends inside " + where());
  }
  if (crc32c(stored) != header.checksum) {
    throw_damaged(pack_name, "the checksum differs of " + where());
  }
  if (header.codec != Codec::raw) decompress(header.codec, stored, raw);
}

}  // namespace mendel::storage
