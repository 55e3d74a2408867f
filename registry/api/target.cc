#include "registry/api/target.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>

#include "storage/base/error.h"
#include "storage/utf8.h"

namespace mendel::registry::api {

namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

enum class PlusMeans { plus, space };

std::string percent_decode(std::string_view text, PlusMeans plus) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus == PlusMeans::space) {
      decoded += ' ';
    } else if (text[i] != '%') {
      decoded += text[i];
    } else {
      const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
      if (high < 0 || low < 0) {
        throw Error(ErrorCode::invalid_argument, "the URL has a broken percent-encoding");
      }
      decoded += static_cast<char>(high << 4 | low);
      i += 2;
    }
  }
  if (decoded.find('\0') != std::string::npos || !storage::is_utf8(decoded)) {
    throw Error(ErrorCode::invalid_argument,
                "the URL must be UTF-8 without NUL when decoded");
  }
  return decoded;
}

template <class Visit>
void split(std::string_view text, char separator, Visit visit) {
  for (;;) {
    const auto end = text.find(separator);
    visit(text.substr(0, end));
    if (end == std::string_view::npos) return;
    text.remove_prefix(end + 1);
  }
}

bool has_scheme(std::string_view authorization, std::string_view scheme) {
  return authorization.size() > scheme.size() && authorization[scheme.size()] == ' ' &&
         std::ranges::equal(authorization.substr(0, scheme.size()), scheme,
                            [](char a, char b) { return (a | 0x20) == (b | 0x20); });
}

std::optional<std::string> base64_decode(std::string_view text) {
  constexpr std::size_t kSizeMax = 4096;
  if (text.empty() || text.size() > kSizeMax || text.size() % 4 != 0) return std::nullopt;
  std::string decoded(text.size() / 4 * 3, '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(decoded.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()),
                                   static_cast<int>(text.size()));
  if (size < 0) return std::nullopt;
  const auto padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  decoded.resize(static_cast<std::size_t>(size - padding));
  return decoded;
}

}  // namespace

Target parse_target(std::string_view target) {
  Target parsed;
  const auto question = target.find('?');
  std::string_view path = target.substr(0, question);
  if (!path.starts_with('/')) {
    throw Error(ErrorCode::invalid_argument, "a request's path begins with '/'");
  }
  path.remove_prefix(1);
  split(path, '/', [&](std::string_view part) {
    parsed.parts.push_back(percent_decode(part, PlusMeans::plus));
  });
  if (question == std::string_view::npos || question + 1 == target.size()) return parsed;
  split(target.substr(question + 1), '&', [&](std::string_view parameter) {
    const auto equals = parameter.find('=');
    const std::string_view value =
        equals == std::string_view::npos ? "" : parameter.substr(equals + 1);
    parsed.query.emplace_back(percent_decode(parameter.substr(0, equals), PlusMeans::space),
                              percent_decode(value, PlusMeans::space));
  });
  return parsed;
}

std::optional<std::string> token_of(std::string_view authorization) {
  if (has_scheme(authorization, "Bearer")) {
    return std::string(authorization.substr(std::string_view("Bearer ").size()));
  }
  if (!has_scheme(authorization, "Basic")) return std::nullopt;
  const auto pair = base64_decode(authorization.substr(std::string_view("Basic ").size()));
  if (!pair) return std::nullopt;
  const auto colon = pair->find(':');
  if (colon == std::string::npos) return std::nullopt;
  return pair->substr(colon + 1);
}

std::string percent_encode_path(std::string_view path) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  constexpr std::string_view kPlain = "-._~/";
  std::string encoded;
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
        kPlain.find(c) != std::string_view::npos) {
      encoded += c;
    } else {
      encoded += '%';
      encoded += kDigits[byte >> 4];
      encoded += kDigits[byte & 15];
    }
  }
  return encoded;
}

}  // namespace mendel::registry::api
