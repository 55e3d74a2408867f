#include "registry/services/egress/repository_url.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "storage/base/error.h"

namespace mendel::registry {

namespace {

constexpr std::size_t kUrlSizeMax = 2000;
constexpr std::size_t kHostSizeMax = 253;
constexpr std::string_view kGitSuffix = ".git";

struct SchemePort {
  std::string_view scheme;
  std::uint16_t port;
};
constexpr std::array kSchemes = {SchemePort{"https", 443}, SchemePort{"http", 80},
                                 SchemePort{"ssh", 22}, SchemePort{"git", 9418}};

[[noreturn]] void refuse(const std::string& rule) {
  throw Error(ErrorCode::invalid_argument, "the address of a repository " + rule);
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; }
bool is_hex(char c) { return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f'); }

bool all_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, is_digit);
}

std::string lower(std::string_view text) {
  std::string folded(text);
  for (char& c : folded) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  }
  return folded;
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

// "127.0.0.1", in the one spelling that all programs read alike.
bool is_dotted_quad(std::string_view host) {
  int parts = 0;
  for (;; ++parts) {
    const auto end = host.find('.');
    const auto part = host.substr(0, end);
    int value = 256;
    std::from_chars(part.data(), part.data() + part.size(), value);
    if (!all_digits(part) || part.size() > 3 || value > 255) return false;
    if (part.size() > 1 && part[0] == '0') return false;
    if (end == std::string_view::npos) return parts == 3;
    host.remove_prefix(end + 1);
  }
}

// What inet_aton() would take for a number: "1", "0x7f.1".
bool ends_in_number(std::string_view host) {
  const auto last = host.substr(host.rfind('.') + 1);
  return all_digits(last) || last.starts_with("0x");
}

void check_host(std::string_view host) {
  if (host.empty()) refuse("has no host");
  if (host.size() > kHostSizeMax) refuse("has a host of at most 253 characters");
  if (host.find(':') != std::string_view::npos) {
    if (!std::ranges::all_of(host,
                             [](char c) { return is_hex(c) || c == ':' || c == '.'; })) {
      refuse("has no host");
    }
    return;
  }
  std::string_view rest = host;
  for (;;) {
    const auto end = rest.find('.');
    const auto label = rest.substr(0, end);
    if (label.empty() || label.starts_with('-')) refuse("has no proper host");
    if (!std::ranges::all_of(label, [](char c) {
          return is_digit(c) || is_letter(c) || c == '-' || c == '_';
        })) {
      refuse("has a host of letters, digits, '-', '_' and '.'");
    }
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  if (ends_in_number(host) && !is_dotted_quad(host)) {
    refuse("has a host that is neither a name nor an address in its usual form");
  }
}

std::uint16_t parse_port(std::string_view text) {
  unsigned port = 0;
  if (text.size() <= 5) std::from_chars(text.data(), text.data() + text.size(), port);
  if (!all_digits(text) || port == 0 || port > 65535) refuse("has a port of 1 to 65535");
  return static_cast<std::uint16_t>(port);
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

void take_authority(std::string_view authority, RepositoryUrl& url) {
  if (const auto at = authority.rfind('@'); at != std::string_view::npos) {
    url.user = authority.substr(0, at);
    authority.remove_prefix(at + 1);
  }
  std::string_view port;
  if (authority.starts_with('[')) {
    const auto close = authority.find(']');
    if (close == std::string_view::npos) refuse("has no host");
    url.host = lower(authority.substr(1, close - 1));
    if (url.host.find(':') == std::string::npos) refuse("has no host");
    port = authority.substr(close + 1);
    if (!port.empty() && !port.starts_with(':')) refuse("has no host");
    if (!port.empty()) port.remove_prefix(1);
  } else {
    const auto colon = authority.find(':');
    url.host = lower(authority.substr(0, colon));
    if (colon != std::string_view::npos) port = authority.substr(colon + 1);
  }
  // "example.org." is the same host, said absolutely.
  if (url.host.ends_with('.')) url.host.pop_back();
  check_host(url.host);
  if (port.empty()) return;
  url.port = parse_port(port);
  for (const auto& [scheme, scheme_port] : kSchemes) {
    if (url.scheme == scheme && *url.port == scheme_port) url.port.reset();
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
    url.scheme = lower(text.substr(0, end));
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

std::string RepositoryUrl::authority() const {
  std::string made = host.find(':') == std::string::npos ? host : "[" + host + "]";
  if (port) made += ":" + std::to_string(*port);
  return made;
}

std::string RepositoryUrl::text() const {
  return scheme + "://" + authority() + "/" + path +
         (has_git_suffix ? std::string(kGitSuffix) : "");
}

std::string normal_repository(std::string_view text) {
  RepositoryUrl url = RepositoryUrl::parse(text);
  // The port of a server for ssh says nothing about the address that people use.
  if (url.scheme == "ssh" || url.scheme == "git") url.port.reset();
  return url.authority() + "/" + url.path;
}

}  // namespace mendel::registry
