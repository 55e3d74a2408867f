#pragma once

#include <string>

#include "cli/local_file.h"
#include "storage/base/digest.h"

namespace mendel::cli {

// The SHA-256 of an open file from its beginning. path is for messages.
Digest digest_of(const Fd& file, const std::string& path);

}  // namespace mendel::cli
