#pragma once

#include <map>
#include <string>
#include <vector>

#include "cli/blob_cache.h"
#include "cli/fetch.h"
#include "cli/pull_plan.h"
#include "cli/resolve.h"

namespace mendel::cli {

// What was put into a directory, and where its bytes came from.
struct Transferred {
  std::map<std::string, PulledEntry> placed;
  FetchedBytes fetched;            // from the server
  std::uint64_t cached_bytes = 0;  // from the cache of this node
};

// Brings stored files to their places in the directory: from the cache what it has, the
// rest from the server and then into the cache. Each was verified before it is seen there.
Transferred transfer_files(const ServerAccess& access, const ResolvedVersion& version,
                           const storage::Manifest& manifest,
                           const std::vector<ChosenFile>& files,
                           const TargetDirectory& target, BlobCache& cache);

// Of those that are stored, as the manifest has it.
std::uint64_t size_of(const storage::Manifest& manifest,
                      const std::vector<ChosenFile>& files);

}  // namespace mendel::cli
