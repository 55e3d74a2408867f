#pragma once

#include <string>
#include <vector>

#include "cli/pull_state.h"
#include "cli/target_directory.h"

namespace mendel::cli {

// How a directory differs from what was pulled into it; paths below it.
struct DirectoryCheck {
  std::vector<std::string> changed;
  std::vector<std::string> missing;
  std::vector<std::string> extra;
  std::size_t entry_count = 0;

  // Extra files do no harm.
  bool is_damaged() const { return !changed.empty() || !missing.empty(); }
};

// Reads every file: what a stamp says is not asked.
DirectoryCheck check_directory(const TargetDirectory& target, const PullState& state);

}  // namespace mendel::cli
