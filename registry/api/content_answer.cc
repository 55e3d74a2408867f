#include "registry/api/content_answer.h"

#include <openssl/evp.h>

#include <algorithm>
#include <charconv>

#include "registry/api/names.h"
#include "registry/api/target.h"
#include "storage/base/error.h"

namespace mendel::registry::api {

namespace {

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, status] =
      std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || status != std::errc() || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return number;
}

// "bytes=0-99", "bytes=100-", "bytes=-5". nullopt: malformed, or several.
struct AskedRange {
  std::optional<std::uint64_t> first;
  std::optional<std::uint64_t> last;  // without first: how many at the end
};
std::optional<AskedRange> parse_range(std::string_view header) {
  constexpr std::string_view kUnit = "bytes=";
  if (!header.starts_with(kUnit)) return std::nullopt;
  header.remove_prefix(kUnit.size());
  const auto dash = header.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const AskedRange asked{parse_number(header.substr(0, dash)),
                         parse_number(header.substr(dash + 1))};
  const bool starts_well = asked.first || dash == 0;
  const bool ends_well = asked.last || (dash + 1 == header.size() && asked.first);
  const bool in_order = !asked.first || !asked.last || *asked.first <= *asked.last;
  if (!starts_well || !ends_well || !in_order) return std::nullopt;
  return asked;
}

bool is_plain_in_quotes(char c) {
  return c >= 0x20 && c < 0x7f && c != '"' && c != '\\' && c != '%';
}

// Everything but the unreserved characters of a URL, so that it can stand in filename*.
std::string percent_encode_name(std::string_view name) {
  return percent_encode_path(name);  // a file's name has no '/'
}

}  // namespace

RangeAnswer asked_range(const Request& request, std::string_view etag,
                        std::uint64_t size_bytes) {
  const RangeAnswer whole{RangeAnswer::Kind::whole, {0, size_bytes}};
  const auto header = request.header("Range");
  if (!header || request.head().method != "GET") return whole;
  // Our answers have no Last-Modified, so a date never matches.
  if (const auto if_range = request.header("If-Range"); if_range && *if_range != etag) {
    return whole;
  }
  const auto asked = parse_range(*header);
  if (!asked) return whole;

  if (!asked->first) {
    const std::uint64_t length = std::min(*asked->last, size_bytes);
    if (length == 0) return {RangeAnswer::Kind::unsatisfiable, {}};
    return {RangeAnswer::Kind::part, {size_bytes - length, length}};
  }
  if (*asked->first >= size_bytes) return {RangeAnswer::Kind::unsatisfiable, {}};
  const std::uint64_t last = std::min(asked->last.value_or(size_bytes - 1), size_bytes - 1);
  return {RangeAnswer::Kind::part, {*asked->first, last - *asked->first + 1}};
}

void set_version_headers(Headers& headers, const Version& version) {
  headers.set("Mendel-Reference", version.reference());
  headers.set("Mendel-Version", std::to_string(version.number));
  headers.set("Mendel-Digest", version.digest.to_string());
  if (version.state != VersionState::active) {
    headers.set("Mendel-State", std::string(to_string(version.state)));
  }
}

void set_cache_control(Headers& headers, const Request& request) {
  if (!ref_of(request).is_immutable()) {
    set_revalidated(headers, request);
    return;
  }
  const std::string_view shared =
      request.ns().visibility == Visibility::public_ ? "public" : "private";
  headers.set("Cache-Control", std::string(shared) + ", max-age=31536000, immutable");
}

void set_revalidated(Headers& headers, const Request& request) {
  headers.set("Cache-Control", request.ns().visibility == Visibility::public_
                                   ? "no-cache"
                                   : "private, no-cache");
}

void set_attachment(Headers& headers, std::string_view file_name) {
  std::string plain;
  for (const char c : file_name) plain += is_plain_in_quotes(c) ? c : '_';
  std::string disposition = "attachment; filename=\"" + plain + "\"";
  if (plain != file_name) {  // RFC 8187, for those who understand it
    disposition += "; filename*=UTF-8''" + percent_encode_name(file_name);
  }
  headers.set("Content-Disposition", std::move(disposition));
  headers.set("X-Content-Type-Options", "nosniff");
  headers.set("Content-Security-Policy", "sandbox");
}

std::string repr_digest(const Digest& digest) {
  unsigned char base64[45];
  EVP_EncodeBlock(base64, reinterpret_cast<const unsigned char*>(digest.bytes().data()),
                  Digest::kSizeBytes);
  return "sha-256=:" + std::string(reinterpret_cast<const char*>(base64)) + ":";
}

std::string strong_tag(std::string_view text) { return "\"" + std::string(text) + "\""; }

std::vector<std::string> asked_platforms(const Request& request) {
  std::vector<std::string> platforms;
  const auto asked = request.query("platform");
  if (!asked) return platforms;
  for (std::string_view rest = *asked;;) {
    const auto comma = rest.find(',');
    platforms.emplace_back(rest.substr(0, comma));
    if (platforms.back().empty()) {
      throw Error(ErrorCode::invalid_argument,
                  "platform takes one platform, or several with commas between them");
    }
    if (comma == std::string_view::npos) return platforms;
    rest.remove_prefix(comma + 1);
  }
}

}  // namespace mendel::registry::api
