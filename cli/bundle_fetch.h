#pragma once

#include <span>
#include <string>

#include "cli/api_client.h"
#include "cli/fetch.h"

namespace mendel::cli {

// Fetches several files in one answer: their bytes follow each other in the order asked
// for, and the manifest says where each ends. After a broken connection it asks for those
// that are not there yet.
void fetch_bundle(ApiClient& server, const std::string& version_path,
                  const storage::Manifest& manifest, std::span<const std::size_t> positions,
                  FileDestination& destination, Progress& progress);

}  // namespace mendel::cli
