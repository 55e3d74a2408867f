#pragma once

#include <cstdint>
#include <string>

#include "cli/api_client.h"
#include "storage/manifest.h"

namespace mendel::cli {

// How many bytes of the newer file lie in chunks that the older one does not have: what a
// push had to send, and a pull has to fetch. The paths are those of the versions.
std::uint64_t changed_bytes(ApiClient& server, const std::string& older_version_path,
                            const storage::ManifestFile& older,
                            const std::string& newer_version_path,
                            const storage::ManifestFile& newer);

}  // namespace mendel::cli
