#pragma once

#include <string>
#include <string_view>

namespace mendel::registry {

// The secret of a token: "mdl_" and 43 characters of base64url (RFC 4648, section 5), which
// are 256 bits from the system's generator. The prefix lets scanners find one that leaked.
std::string make_secret();

// Whether it could be one. Says nothing about whether it is known.
bool is_secret(std::string_view text);

}  // namespace mendel::registry
