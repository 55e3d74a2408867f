#pragma once

#include <string_view>

namespace mendel::registry {

// The topic of the change feed for namespaces, principals, roles and revoked tokens.
inline constexpr std::string_view kAccessTopic = "access";

}  // namespace mendel::registry
