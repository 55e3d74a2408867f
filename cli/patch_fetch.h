#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cli/api_client.h"
#include "cli/local_file.h"
#include "cli/verified_file.h"

namespace mendel::cli {

// Puts a file together from the chunks that an older one has and the ranges that
// differ, which alone are fetched. Writes all of it into file, but for the finish, and
// returns how many bytes were not fetched. Returns nullopt, and has written nothing, if the
// server has no recipe for it.
std::optional<std::uint64_t> fetch_patch(ApiClient& server, const std::string& version_path,
                                         const storage::ManifestFile& wanted,
                                         const Fd& older, VerifiedFile& file);

}  // namespace mendel::cli
