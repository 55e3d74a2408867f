#pragma once

#include <string>

#include "storage/manifest.h"

namespace mendel::cli {

// The one stored file of that path which --platform means; its path and platform say where
// it is. Throws not_found, and what choose_files() throws.
const storage::ManifestFile& choose_one(const storage::Manifest& manifest,
                                        const std::string& path,
                                        const std::string& platform_option);

}  // namespace mendel::cli
