#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "cli/platform_choice.h"
#include "cli/pull_plan.h"
#include "cli/pull_transfer.h"
#include "cli/resolve.h"

namespace mendel::cli {

struct PullRequest {
  PlatformChoice platform;
  std::string only_file;  // empty: all; otherwise the others stay as they are
  Strangers strangers = Strangers::refuse;
};

// What a pull found and did.
struct PulledVersion {
  std::filesystem::path directory;
  storage::Manifest manifest;  // of a model set, the whole tree
  PullPlan plan;
  Transferred transferred;
  std::size_t file_count = 0;  // chosen, those that stay elsewhere among them
  std::uint64_t size_bytes = 0;
};

// Makes the directory hold the version, and remembers in it what was pulled. Throws what
// plan_pull() and transfer_files() throw.
PulledVersion pull_version(ApiClient& server, const ResolvedVersion& version,
                           const PullRequest& request,
                           const std::filesystem::path& directory);

}  // namespace mendel::cli
