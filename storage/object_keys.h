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
//   ledger/
//     anchors/<sequence, 20 digits>-<64 hex digits of the hash of the chain up to there>
//     reports/<64 hex digits of the SHA-256 of a sealed report>
//
// What stands below a namespace is written and read through a PrefixedObjectStore of its
// own. That a pack says in its key whose it is lets the rows be made again from the
// objects.

inline constexpr std::string_view kPackPrefix = "packs/";

std::string namespace_prefix(std::int64_t namespace_id);  // "namespaces/42/"

std::string pack_key(const Digest& pack_name);
std::optional<Digest> pack_name_of(std::string_view key);
std::string successor_key(const Digest& pack_name);

// Where the ledger's chain was once. In the order of their keys anchors follow the chain.
struct AnchorName {
  std::int64_t sequence = 0;
  Digest hash;

  friend bool operator==(const AnchorName&, const AnchorName&) = default;
};
inline constexpr std::string_view kAnchorPrefix = "ledger/anchors/";
std::string anchor_key(const AnchorName& anchor);
std::optional<AnchorName> anchor_of(std::string_view key);

std::string report_key(const Digest& document);

// What any object store takes as a key: parts of 1 to 255 bytes, '/' between them, none of
// them "." or "..", no NUL. Throws invalid_argument.
void check_object_key(std::string_view key);

}  // namespace mendel::storage
