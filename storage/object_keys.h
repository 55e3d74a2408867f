#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "storage/base/digest.h"

namespace mendel::storage {

// Every key that Mendel writes into an object store:
//
//   namespaces/<id of the namespace that was given the bytes>/
//     packs/<ab>/<64 hex digits of the pack's name, which begin with ab>
//     successors/<ab>/<the same, of a pack that was rewritten>
//
// What stands below a namespace is written and read through a PrefixedObjectStore of its
// own. That a pack says in its key whose it is lets the rows be made again from the
// objects.

inline constexpr std::string_view kPackPrefix = "packs/";

std::string namespace_prefix(std::int64_t namespace_id);  // "namespaces/42/"

std::string pack_key(const Digest& pack_name);
std::optional<Digest> pack_name_of(std::string_view key);
std::string successor_key(const Digest& pack_name);

// What any object store takes as a key: parts of 1 to 255 bytes, '/' between them, none of
// them "." or "..", no NUL. Throws invalid_argument.
void check_object_key(std::string_view key);

}  // namespace mendel::storage
