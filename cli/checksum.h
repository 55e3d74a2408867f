#pragma once

#include <string>
#include <string_view>

#include "storage/base/fd.h"

namespace mendel::cli {

// The checksum of an open file of the kind that like is of, as manifests write it:
// adler32: (RFC 1950), crc32c:, md5: or sha256: and lower-case hexadecimal digits. path is
// for messages. Throws invalid_argument for another kind.
std::string checksum_like(std::string_view like, const Fd& file, const std::string& path);

}  // namespace mendel::cli
