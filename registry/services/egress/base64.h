#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace mendel::registry {

// RFC 4648, section 4, with padding.
std::string encode_base64(std::string_view bytes);

// nullopt for anything else, line breaks and left-over bits among it.
std::optional<std::string> decode_base64(std::string_view text);

}  // namespace mendel::registry
