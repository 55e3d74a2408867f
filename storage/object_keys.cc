#include "storage/object_keys.h"

#include <charconv>
#include <system_error>

#include "storage/base/error.h"

namespace mendel::storage {

namespace {

constexpr std::size_t kKeyPartSizeMax = 255;
constexpr std::size_t kSequenceDigits = 20;

bool is_good_part(std::string_view part) {
  return !part.empty() && part.size() <= kKeyPartSizeMax && part != "." && part != ".." &&
         part.find('\0') == std::string_view::npos;
}

}  // namespace

std::string namespace_prefix(std::int64_t namespace_id) {
  return "namespaces/" + std::to_string(namespace_id) + "/";
}

std::string pack_key(const Digest& pack_name) {
  const std::string hex = pack_name.hex();
  return std::string(kPackPrefix) + hex.substr(0, 2) + "/" + hex;
}

std::string successor_key(const Digest& pack_name) {
  const std::string hex = pack_name.hex();
  return "successors/" + hex.substr(0, 2) + "/" + hex;
}

std::string report_key(const Digest& document) {
  return "ledger/reports/" + document.hex();
}

std::optional<Digest> pack_name_of(std::string_view key) {
  const std::size_t hex_at = key.rfind('/') + 1;
  const auto name = Digest::find_in("sha256:" + std::string(key.substr(hex_at)));
  if (!name || pack_key(*name) != key) return std::nullopt;
  return name;
}

std::string anchor_key(const AnchorName& anchor) {
  const std::string digits = std::to_string(anchor.sequence);
  return std::string(kAnchorPrefix) + std::string(kSequenceDigits - digits.size(), '0') +
         digits + "-" + anchor.hash.hex();
}

std::optional<AnchorName> anchor_of(std::string_view key) {
  if (!key.starts_with(kAnchorPrefix)) return std::nullopt;
  const std::string_view name = key.substr(kAnchorPrefix.size());
  if (name.size() <= kSequenceDigits) return std::nullopt;
  AnchorName anchor;
  const char* const end = name.data() + kSequenceDigits;
  const auto parsed = std::from_chars(name.data(), end, anchor.sequence);
  const auto hash =
      Digest::find_in("sha256:" + std::string(name.substr(kSequenceDigits + 1)));
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  if (!hash || anchor.sequence < 0) return std::nullopt;
  anchor.hash = *hash;
  if (anchor_key(anchor) != key) return std::nullopt;
  return anchor;
}

void check_object_key(std::string_view key) {
  for (std::string_view rest = key;;) {
    const std::size_t slash = rest.find('/');
    if (!is_good_part(rest.substr(0, slash))) {
      throw Error(ErrorCode::invalid_argument,
                  "'" + std::string(key) + "' cannot be the key of an object");
    }
    if (slash == std::string_view::npos) return;
    rest.remove_prefix(slash + 1);
  }
}

}  // namespace mendel::storage
