#include "registry/services/tar_stream.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "storage/base/error.h"

// A member is a header block and its bytes, padded to whole blocks of 512; what the header
// has no room for stands in a member of type 'x' before it. Two empty blocks end the
// archive.
//
//   offset  bytes  of a header block (numbers are octal digits)
//        0    100  name
//      100      8  mode
//      108      8  owner: 0
//      116      8  group: 0
//      124     12  size
//      136     12  time: 0
//      148      8  sum of all bytes of the block, these eight taken for spaces
//      156      1  type: '0' file, '2' link, '5' directory, 'x' pax records
//      157    100  target of a link
//      257      8  "ustar", NUL, "00"
//      345    155  prefix: what stands before name and a '/'

namespace mendel::registry {

namespace {

constexpr std::size_t kBlockSize = 512;
constexpr std::size_t kNameSize = 100;
constexpr std::size_t kPrefixSize = 155;
constexpr std::uint64_t kSizeMax = (1ull << 33) - 1;  // eleven octal digits

std::size_t padding_after(std::uint64_t size) {
  return (kBlockSize - size % kBlockSize) % kBlockSize;
}

void put_text(std::string& block, std::size_t offset, std::string_view text) {
  block.replace(offset, text.size(), text);
}

// width counts the NUL that ends the digits.
void put_octal(std::string& block, std::size_t offset, std::size_t width,
               std::uint64_t number) {
  for (std::size_t i = width - 1; i-- > 0; number >>= 3) {
    block[offset + i] = static_cast<char>('0' + (number & 7));
  }
}

struct HeaderFields {
  std::string_view prefix = {};
  std::string_view name = {};
  std::string_view target = {};
  std::uint64_t size_bytes = 0;
  unsigned mode = 0;
  char type = '0';
};

std::string header_block(const HeaderFields& fields) {
  std::string block(kBlockSize, '\0');
  put_text(block, 0, fields.name);
  put_octal(block, 100, 8, fields.mode);
  put_octal(block, 108, 8, 0);
  put_octal(block, 116, 8, 0);
  put_octal(block, 124, 12, fields.size_bytes);
  put_octal(block, 136, 12, 0);
  put_text(block, 148, "        ");
  block[156] = fields.type;
  put_text(block, 157, fields.target);
  put_text(block, 257,
           std::string_view("ustar\0"
                            "00",
                            8));
  put_text(block, 345, fields.prefix);

  unsigned sum = 0;
  for (const char c : block) sum += static_cast<unsigned char>(c);
  put_octal(block, 148, 7, sum);
  block[154] = '\0';
  return block;
}

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text,
                             [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

struct SplitName {
  std::string_view prefix;
  std::string_view name;
};

// nullopt: the name does not fit into a header.
std::optional<SplitName> split_name(std::string_view name) {
  if (!is_ascii(name)) return std::nullopt;
  if (name.size() <= kNameSize) return SplitName{"", name};
  // The first slash that leaves a name short enough leaves the shortest prefix.
  const std::size_t slash = name.find('/', name.size() - kNameSize - 1);
  if (slash == std::string_view::npos || slash > kPrefixSize || slash + 1 == name.size()) {
    return std::nullopt;
  }
  return SplitName{name.substr(0, slash), name.substr(slash + 1)};
}

// "27 path=…\n": the number counts the whole record, its own digits too.
std::string pax_record(std::string_view key, std::string_view value) {
  const std::size_t rest = key.size() + value.size() + 3;
  std::size_t size = rest + 1;
  while (std::to_string(size).size() + rest != size) ++size;
  return std::to_string(size) + " " + std::string(key) + "=" + std::string(value) + "\n";
}

char type_of(TarEntry::Kind kind) {
  switch (kind) {
    case TarEntry::Kind::file:
    case TarEntry::Kind::executable: return '0';
    case TarEntry::Kind::link: return '2';
    case TarEntry::Kind::directory: return '5';
  }
  return '0';
}

unsigned mode_of(TarEntry::Kind kind) {
  switch (kind) {
    case TarEntry::Kind::file: return 0644;
    case TarEntry::Kind::executable: return 0755;
    case TarEntry::Kind::link: return 0777;
    case TarEntry::Kind::directory: return 0755;
  }
  return 0644;
}

std::string headers_of(const TarEntry& entry) {
  const std::string name = entry.name();
  std::string records;
  auto split = split_name(name);
  if (!split) {
    records += pax_record("path", name);
    split = SplitName{"", std::string_view(name).substr(0, kNameSize)};
  }
  std::string_view target = entry.target;
  if (target.size() > kNameSize || !is_ascii(target)) {
    records += pax_record("linkpath", target);
    target = target.substr(0, kNameSize);
  }
  std::uint64_t size = entry.size_bytes;
  if (size > kSizeMax) {
    records += pax_record("size", std::to_string(size));
    size = 0;
  }

  std::string headers;
  if (!records.empty()) {
    headers = header_block(
        {.name = "PaxHeaders/0", .size_bytes = records.size(), .mode = 0644, .type = 'x'});
    headers += records;
    headers.append(padding_after(records.size()), '\0');
  }
  headers += header_block({.prefix = split->prefix,
                           .name = split->name,
                           .target = target,
                           .size_bytes = size,
                           .mode = mode_of(entry.kind),
                           .type = type_of(entry.kind)});
  return headers;
}

}  // namespace

std::string TarEntry::name() const {
  std::string name;
  if (!directory.empty()) name.append(directory).append("/");
  name += path;
  if (kind == Kind::directory) name += '/';
  return name;
}

std::uint64_t tar_size(std::span<const TarEntry> entries) {
  std::uint64_t size = 2 * kBlockSize;
  for (const TarEntry& entry : entries) {
    size += headers_of(entry).size() + entry.size_bytes + padding_after(entry.size_bytes);
  }
  return size;
}

TarSource::TarSource(std::vector<TarEntry> entries, std::unique_ptr<Source> contents)
    : entries_(std::move(entries)), contents_(std::move(contents)) {}

std::size_t TarSource::read(std::span<std::byte> buffer) {
  std::size_t filled = 0;
  while (filled < buffer.size()) {
    const std::size_t size = read_some(buffer.subspan(filled));
    filled += size;
    if (size > 0) continue;
    if (ended_) break;
    begin_next();
  }
  return filled;
}

std::size_t TarSource::read_some(std::span<std::byte> buffer) {
  if (pending_offset_ < pending_.size()) {
    const std::size_t size = std::min(buffer.size(), pending_.size() - pending_offset_);
    std::memcpy(buffer.data(), pending_.data() + pending_offset_, size);
    pending_offset_ += size;
    return size;
  }
  if (content_left_ == 0) return 0;
  const std::size_t wanted = std::min<std::uint64_t>(buffer.size(), content_left_);
  if (contents_->read(buffer.first(wanted)) != wanted) {
    throw Error(ErrorCode::data_loss, "the bytes of an archive's files end early");
  }
  content_left_ -= wanted;
  return wanted;
}

void TarSource::begin_next() {
  pending_.assign(std::exchange(padding_, 0), '\0');
  pending_offset_ = 0;
  if (next_ == entries_.size()) {
    pending_.append(2 * kBlockSize, '\0');
    ended_ = true;
    return;
  }
  const TarEntry& entry = entries_[next_++];
  pending_ += headers_of(entry);
  content_left_ = entry.size_bytes;
  padding_ = padding_after(entry.size_bytes);
}

}  // namespace mendel::registry
