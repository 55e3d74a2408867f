#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mendel::registry {

// The part of a URL that says where to connect to. One that exists has a host that every
// program reads alike: a name of letters, digits, '-', '_' and '.', a dotted quad without
// leading zeros, or an IPv6 address.
struct Authority {
  std::string user;  // as it was written, password and all
  std::string host;  // lower case; IPv6 without its brackets
  std::optional<std::uint16_t> port;

  // "user@host:port". Throws invalid_argument; what: "the address of a repository".
  static Authority parse(std::string_view what, std::string_view text);

  // "host:port", "[address]:port", without the user.
  std::string text() const;
};

// ASCII only.
std::string lower_case(std::string_view text);

}  // namespace mendel::registry
