#include "registry/services/egress/authority.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

#include "storage/base/error.h"

namespace mendel::registry {

namespace {

constexpr std::size_t kHostSizeMax = 253;

[[noreturn]] void refuse(std::string_view what, std::string_view rule) {
  throw Error(ErrorCode::invalid_argument, std::string(what) + " " + std::string(rule));
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool all_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, is_digit);
}

bool is_host_character(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || c == '-' || c == '_';
}

// In the one spelling that all programs read alike.
bool is_dotted_quad(std::string_view host) {
  for (int parts = 1;; ++parts) {
    const auto end = host.find('.');
    const auto part = host.substr(0, end);
    int value = 256;
    std::from_chars(part.data(), part.data() + part.size(), value);
    if (!all_digits(part) || part.size() > 3 || value > 255) return false;
    if (part.size() > 1 && part[0] == '0') return false;
    if (end == std::string_view::npos) return parts == 4;
    host.remove_prefix(end + 1);
  }
}

// What inet_aton() takes for a number: "1", "0x7f.1".
bool ends_in_number(std::string_view host) {
  const auto last = host.substr(host.rfind('.') + 1);
  return all_digits(last) || last.starts_with("0x");
}

void check_name(std::string_view what, std::string_view host) {
  if (host.empty()) refuse(what, "has no host");
  if (host.size() > kHostSizeMax) refuse(what, "has a host of at most 253 characters");
  for (std::string_view rest = host;;) {
    const auto end = rest.find('.');
    const auto label = rest.substr(0, end);
    if (label.empty() || label.starts_with('-') ||
        !std::ranges::all_of(label, is_host_character)) {
      refuse(what, "has a host of letters, digits, '-', '_' and '.'");
    }
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  if (ends_in_number(host) && !is_dotted_quad(host)) {
    refuse(what, "has a host that is neither a name nor an address in its usual form");
  }
}

void check_ipv6(std::string_view what, const std::string& host) {
  in6_addr parsed{};
  if (inet_pton(AF_INET6, host.c_str(), &parsed) != 1)
    refuse(what, "has a host in brackets that is no IPv6 address");
}

std::uint16_t parse_port(std::string_view what, std::string_view text) {
  unsigned port = 0;
  if (text.size() <= 5) std::from_chars(text.data(), text.data() + text.size(), port);
  if (!all_digits(text) || port == 0 || port > 65535)
    refuse(what, "has a port of 1 to 65535");
  return static_cast<std::uint16_t>(port);
}

}  // namespace

Authority Authority::parse(std::string_view what, std::string_view text) {
  Authority parsed;
  if (const auto at = text.rfind('@'); at != std::string_view::npos) {
    parsed.user = text.substr(0, at);
    text.remove_prefix(at + 1);
  }
  if (text.starts_with('[')) {
    const auto close = text.find(']');
    if (close == std::string_view::npos) refuse(what, "has a host without its last ']'");
    parsed.host = lower_case(text.substr(1, close - 1));
    check_ipv6(what, parsed.host);
    text.remove_prefix(close + 1);
    if (!text.empty() && text[0] != ':') refuse(what, "has something after ']'");
  } else {
    parsed.host = lower_case(text.substr(0, text.find(':')));
    // "example.org." is the same host, said absolutely.
    if (parsed.host.ends_with('.')) parsed.host.pop_back();
    check_name(what, parsed.host);
    text.remove_prefix(std::min(text.find(':'), text.size()));
  }
  if (text.size() > 1) parsed.port = parse_port(what, text.substr(1));
  return parsed;
}

std::string Authority::text() const {
  std::string made = host.find(':') == std::string::npos ? host : "[" + host + "]";
  if (port) made += ":" + std::to_string(*port);
  return made;
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  }
  return lower;
}

}  // namespace mendel::registry
