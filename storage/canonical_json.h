#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace mendel::storage {

// The one way to write a JSON value: RFC 8785 (JCS). Members sorted by their names' UTF-16
// code units, no white space, numbers as ECMAScript writes them. Two documents are the same
// exactly if their canonical forms are the same bytes. Throws invalid_argument, located by
// its pointer, for what JCS cannot carry: NaN, infinities, integers beyond 2^53, strings
// that are not UTF-8; and for values nested deeper than kJsonDepthMax.
std::string canonical_json(const nlohmann::json& value);

inline constexpr int kJsonDepthMax = 512;

// Appends one string in its canonical form, quotes included. text is well-formed UTF-8.
void append_canonical_string(std::string& out, std::string_view text);

}  // namespace mendel::storage
