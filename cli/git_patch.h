#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/git_repository.h"

namespace mendel::cli {

enum class Untracked { list, include };

struct UntrackedFile {
  std::string path;
  std::uint64_t size_bytes = 0;
};

// What a working tree has beyond a commit.
struct GitChanges {
  std::vector<std::string> changed;  // paths of tracked files; and of others if included
  std::string patch;                 // of all of them, for `git apply`
  std::vector<UntrackedFile> untracked;  // the first kUntrackedListedMax by path
  std::size_t untracked_omitted = 0;
};

inline constexpr std::uint64_t kPatchSizeMax = 32u << 20;
inline constexpr std::uint64_t kChangedSizeMax = 256u << 20;
inline constexpr std::size_t kUntrackedListedMax = 200;

// Compares the working tree, staged or not, with the commit. What .gitignore names does not
// count, nor what lies inside submodules and other repositories.
//
// Throws too_large, with the sizes, for a patch over kPatchSizeMax and for changed files
// over kChangedSizeMax together; invalid_argument, with file and line, for what looks like
// a credential; failed_precondition while a merge has conflicts.
GitChanges read_changes(const GitRepository& repository, const git_commit* commit,
                        Untracked untracked);

}  // namespace mendel::cli
