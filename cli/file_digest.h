#pragma once

#include <string_view>

#include "cli/local_file.h"
#include "storage/base/digest.h"

namespace mendel::cli {

// The SHA-256 of an open file from its beginning. path is for messages.
Digest digest_of(const Fd& file, std::string_view path);

}  // namespace mendel::cli
