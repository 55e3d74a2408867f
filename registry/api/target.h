#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mendel::registry::api {

// A request target taken apart: "/a/b%20c?x=1" is {"a", "b c"} and {("x", "1")}. Throws
// invalid_argument for broken percent-encoding, NUL, or what is not UTF-8 when decoded.
struct Target {
  std::vector<std::string> parts;
  std::vector<std::pair<std::string, std::string>> query;
};
Target parse_target(std::string_view target);

// The token of an Authorization header: Bearer TOKEN, or Basic with any user and the token
// as password. nullopt: another scheme, or malformed.
std::optional<std::string> token_of(std::string_view authorization);

// For paths that are handed out: everything but unreserved characters and '/' is encoded.
std::string percent_encode_path(std::string_view path);

}  // namespace mendel::registry::api
