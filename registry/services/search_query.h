#pragma once

#include <cstddef>
#include <string_view>

#include "schema/search_query.h"

namespace mendel::registry {

inline constexpr std::size_t kSearchSizeMax = 4096;  // bytes of a query
inline constexpr std::size_t kSearchTermsMax = 50;
inline constexpr std::size_t kSearchDepthMax = 16;  // of parentheses and negations

// What a user's words ask for. The grammar is in search_query.cc, and for users in
// 'mendel search --help'. Throws invalid_argument, saying at which character what was
// expected.
schema::SearchQuery parse_search(std::string_view text);

}  // namespace mendel::registry
