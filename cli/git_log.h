#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace mendel::cli {

struct GitLogEntry {
  std::string commit;
  std::string summary;  // the first line of its message
};

// What lies between two commits, newest first.
struct GitLog {
  std::vector<GitLogEntry> gained;  // in the newer one's history, not in the older one's
  std::vector<GitLogEntry> lost;    // the other way round
};

inline constexpr std::size_t kGitLogMax = 1000;  // of each list

// nullopt: the directory stands in no repository that has both commits and may be read.
std::optional<GitLog> find_commits_between(const std::string& directory,
                                           const std::string& older,
                                           const std::string& newer);

}  // namespace mendel::cli
