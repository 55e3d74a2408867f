#include "registry/services/egress/repository_url.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "storage/base/error.h"

namespace mendel::registry {

namespace {

constexpr std::size_t kUrlSizeMax = 2000;
constexpr std::string_view kGitSuffix = ".git";

struct SchemePort {
  std::string_view scheme;
  std::uint16_t port;
};
constexpr std::array kSchemes = {SchemePort{"https", 443}, SchemePort{"http", 80},
                                 SchemePort{"ssh", 22}, SchemePort{"git", 9418}};

constexpr std::string_view kWhat = "the address of a repository";

[[noreturn]] void refuse(std::string_view rule) {
  throw Error(ErrorCode::invalid_argument, std::string(kWhat) + " " + std::string(rule));
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; }
bool is_hex(char c) { return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f'); }

bool all_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, is_digit);
}

void check_characters(std::string_view text) {
  if (text.empty()) refuse("must not be empty");
  if (text.size() > kUrlSizeMax) refuse("has at most 2000 characters");
  constexpr std::string_view kNever = "\"'`\\<>{}|^?#";
  for (const char c : text) {
    if (c <= ' ' || c == 127 || static_cast<unsigned char>(c) > 127 ||
        kNever.find(c) != std::string_view::npos) {
      refuse("has only printable ASCII, no spaces, and none of \"'`\\<>{}|^?#");
    }
  }
}

// Characters that need no encoding stand for themselves: "%7Euser" is "~user".
std::string decode_unreserved(std::string_view path) {
  std::string decoded;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] != '%') {
      decoded += path[i];
      continue;
    }
    if (i + 2 >= path.size() || !is_hex(path[i + 1]) || !is_hex(path[i + 2])) {
      refuse("has a broken percent-encoding");
    }
    int value = 0;
    std::from_chars(path.data() + i + 1, path.data() + i + 3, value, 16);
    const char c = static_cast<char>(value);
    if (value < ' ' || value == 127) refuse("must not hide control characters");
    if (is_digit(c) || is_letter(c) || c == '-' || c == '.' || c == '_' || c == '~') {
      decoded += c;
    } else {
      decoded += '%';
      for (const char digit : path.substr(i + 1, 2)) {
        decoded += is_letter(digit) ? static_cast<char>(digit & ~0x20) : digit;
      }
    }
    i += 2;
  }
  return decoded;
}

std::string normal_path(std::string_view text, bool& has_git_suffix) {
  const std::string decoded = decode_unreserved(text);
  std::string path;
  std::string_view rest = decoded;
  while (!rest.empty()) {
    const auto end = rest.find('/');
    const auto part = rest.substr(0, end);
    if (part == "." || part == "..") refuse("must not have '.' or '..' in its path");
    if (!part.empty()) {
      if (!path.empty()) path += '/';
      path += part;
    }
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  // As often as it is there: what has been made normal stays so.
  while (path.ends_with(kGitSuffix)) {
    path.resize(path.size() - kGitSuffix.size());
    has_git_suffix = true;
    while (path.ends_with('/')) path.pop_back();
  }
  if (path.empty()) refuse("has no path");
  return path;
}

void take_authority(std::string_view text, RepositoryUrl& url) {
  url.authority = Authority::parse(kWhat, text);
  for (const auto& [scheme, scheme_port] : kSchemes) {
    if (url.scheme == scheme && url.authority.port == scheme_port)
      url.authority.port.reset();
  }
}

// "git@host:path", "host:path".
bool is_scp_form(std::string_view text) {
  const auto slash = text.find('/');
  const auto close = text.find(']');
  const auto colon =
      text.find(':', text.starts_with('[') && close != std::string_view::npos ? close : 0);
  if (colon == std::string_view::npos || colon > slash) return false;
  const bool is_port = all_digits(text.substr(colon + 1, slash - colon - 1)) &&
                       slash != std::string_view::npos;
  return text.substr(0, colon).find('@') != std::string_view::npos || !is_port;
}

}  // namespace

RepositoryUrl RepositoryUrl::parse(std::string_view text) {
  check_characters(text);
  if (text.starts_with('-')) refuse("must not begin with '-'");
  if (text.starts_with('/') || text.starts_with('.') || text.starts_with('~')) {
    refuse("is a URL, not a path");
  }
  RepositoryUrl url;
  std::string_view rest = text;
  if (const auto end = text.find("://"); end != std::string_view::npos) {
    url.scheme = lower_case(text.substr(0, end));
    if (url.scheme.starts_with("git+")) url.scheme.erase(0, 4);
    if (std::ranges::none_of(
            kSchemes, [&](const auto& known) { return known.scheme == url.scheme; })) {
      refuse("begins with https://, http://, ssh:// or git://");
    }
    rest.remove_prefix(end + 3);
  } else if (text.find("::") < text.find_first_of("@/[")) {  // as git tells them
    refuse("must not name a helper program");
  } else if (is_scp_form(text)) {
    url.scheme = "ssh";
    const auto start = text.find('@') == std::string_view::npos ? 0 : text.find('@');
    const auto bracket = text.find(']', start);
    const auto colon = text.find(':', bracket == std::string_view::npos ? start : bracket);
    take_authority(text.substr(0, colon), url);
    url.path = normal_path(text.substr(colon + 1), url.has_git_suffix);
    return url;
  }
  const auto slash = rest.find('/');
  if (slash == std::string_view::npos) refuse("has no path");
  take_authority(rest.substr(0, slash), url);
  url.path = normal_path(rest.substr(slash), url.has_git_suffix);
  return url;
}

std::string RepositoryUrl::text() const {
  return scheme + "://" + authority.text() + "/" + path +
         (has_git_suffix ? std::string(kGitSuffix) : "");
}

std::string normal_repository(std::string_view text) {
  RepositoryUrl url = RepositoryUrl::parse(text);
  // The port of a server for ssh says nothing about the address that people use.
  if (url.scheme == "ssh" || url.scheme == "git") url.authority.port.reset();
  return url.authority.text() + "/" + url.path;
}

}  // namespace mendel::registry
