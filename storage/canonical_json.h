#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace mendel::storage {

// The one way to write a JSON value: RFC 8785 (JCS). Members sorted by their names' UTF-16
// code units, no white space, numbers as ECMAScript writes them. Two documents are the same
// exactly if their canonical forms are the same bytes. Throws invalid_argument for what JCS
// cannot carry: NaN, infinities, integers beyond 2^53, strings that are not UTF-8.
std::string canonical_json(const nlohmann::json& value);

}  // namespace mendel::storage
