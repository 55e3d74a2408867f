#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/api_client.h"

namespace mendel::cli {

struct SourceOptions {
  std::string directory{};  // of --git; empty: where the command runs
  bool no_git = false;
  bool include_untracked = false;
  bool require_clean = false;
};

// The commit that something was made from, and what the working tree had beyond it.
struct CapturedSource {
  Json source;        // as the wire has it; "patch" names patch where there is one
  std::string patch;  // for `git apply`; empty: the tree is clean
  std::vector<std::string> notes;  // for the user: what the source leaves out
};

// Reads the repository that the directory stands in. nullopt if there is none, nor one that
// was asked for, or if none is wanted; notes alone if it has no commit yet. Throws
// not_found where --git names no repository, failed_precondition where a clean tree is
// required, and what GitRepository and read_changes() throw.
std::optional<CapturedSource> capture_source(const SourceOptions& options);

}  // namespace mendel::cli
