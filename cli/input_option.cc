#include "cli/input_option.h"

#include <algorithm>
#include <array>

#include "storage/base/digest.h"
#include "storage/base/reference.h"

namespace mendel::cli {

namespace {

constexpr std::size_t kUriSizeMax = 2048;
constexpr std::array<std::string_view, 4> kImageSchemes = {
    "docker:", "library:", "oci:", "oras:"};

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_alphanumeric(char c) { return is_letter(c) || (c >= '0' && c <= '9'); }

[[noreturn]] void refuse(const std::string& rule) {
  throw Error(ErrorCode::invalid_argument, rule);
}

bool has_password(std::string_view uri) {
  const auto slashes = uri.find("://");
  if (slashes == uri.npos) return false;
  const std::string_view authority =
      uri.substr(slashes + 3, uri.find_first_of("/?#", slashes + 3) - slashes - 3);
  const auto at = authority.rfind('@');
  return at != authority.npos && authority.substr(0, at).find(':') != authority.npos;
}

void require_publishable(std::string_view uri) {
  if (uri.size() > kUriSizeMax) {
    refuse("a URI has at most " + std::to_string(kUriSizeMax) + " bytes");
  }
  const auto is_unprintable = [](char c) { return (c >= 0 && c <= ' ') || c == 0x7F; };
  if (std::ranges::any_of(uri, is_unprintable)) {
    refuse("a URI has no blanks and no control characters");
  }
  if (has_password(uri)) {
    refuse("a URI with a password in it would be readable for ever: leave it out");
  }
}

void read_uri(Json& input, std::string_view text) {
  require_publishable(text);
  const auto at = text.rfind("@sha256:");
  if (at == text.npos) {
    input["uri"] = text;
    return;
  }
  input["digest"] = Digest::parse(text.substr(at + 1)).to_string();
  const bool is_image = std::ranges::any_of(
      kImageSchemes, [&](std::string_view scheme) { return text.starts_with(scheme); });
  input["uri"] = is_image ? text : text.substr(0, at);
}

// A reference has no '=', and a URI has ':' before any.
std::string_view take_name(Json& input, std::string_view text) {
  const auto equals = text.find('=');
  if (equals == text.npos || text.substr(0, equals).find_first_of(":/") != text.npos) {
    return text;
  }
  input["name"] = Name::parse("an input", text.substr(0, equals)).text();
  return text.substr(equals + 1);
}

}  // namespace

bool is_uri(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == text.npos || colon == 0 || !is_letter(text.front())) return false;
  return std::ranges::all_of(text.substr(0, colon), [](char c) {
    return is_alphanumeric(c) || c == '+' || c == '-' || c == '.';
  });
}

Json parse_input(std::string_view option, std::string_view role, std::string_view text) {
  Json input = {{"role", role}};
  try {
    const std::string_view target = take_name(input, text);
    if (is_uri(target)) {
      read_uri(input, target);
    } else {
      input["ref"] = Reference::parse(target).text();
    }
  } catch (const Error& error) {
    throw Error(error.code(),
                std::string(option) + " " + std::string(text) + ": " + error.what());
  }
  return input;
}

}  // namespace mendel::cli
