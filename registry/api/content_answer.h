#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "registry/api/message.h"
#include "registry/api/request.h"
#include "registry/services/version.h"

namespace mendel::registry::api {

// What answers that carry a version's bytes have in common: files, archives, the manifest.

// A part of a representation of size_bytes, as a Range header asks for it.
struct ByteRange {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

// RFC 9110, section 14. whole: no Range header, one that is malformed, one of several
// ranges, or one whose If-Range does not name etag. unsatisfiable: 416.
struct RangeAnswer {
  enum class Kind { whole, part, unsatisfiable } kind = Kind::whole;
  ByteRange range;  // of the whole, too
};
RangeAnswer asked_range(const Request& request, std::string_view etag,
                        std::uint64_t size_bytes);

// Mendel-Reference, Mendel-Version, Mendel-Digest, Mendel-State.
void set_version_headers(Headers& headers, const Version& version);

// Bytes that never change under a number or a digest may be kept for ever; under an alias
// they are revalidated. Only those of a public namespace by caches that are shared.
void set_cache_control(Headers& headers, const Request& request);
void set_revalidated(Headers& headers, const Request& request);

// What keeps a browser from running what it was sent, and the name to save it under.
void set_attachment(Headers& headers, std::string_view file_name);

// "sha-256=:…:" (RFC 9530).
std::string repr_digest(const Digest& digest);

// The text as an entity tag: in quotes.
std::string strong_tag(std::string_view text);

// ?platform=A,B as a list; empty without. Throws invalid_argument for an empty name.
std::vector<std::string> asked_platforms(const Request& request);

}  // namespace mendel::registry::api
