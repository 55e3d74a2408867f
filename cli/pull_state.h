#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "cli/local_file.h"
#include "storage/base/digest.h"

namespace mendel::cli {

// What a pull wrote at one path: a file (digest), a link (target), or an empty directory.
struct PulledEntry {
  std::optional<Digest> digest;
  std::string link;
  bool executable = false;
  FileStamp stamp;  // right after the file was put in its place

  bool is_directory() const { return !digest && link.empty(); }
};

// What is in a directory because it was pulled there: DIR/.mendel/pull.json. It tells the
// files that are ours from those that are not, and saves reading those that did not change.
struct PullState {
  std::string server;
  std::string reference;  // numbered
  std::string digest;     // of the version
  std::int64_t written_ns = 0;
  std::map<std::string, PulledEntry> entries;  // by path

  // Whether the stamp proves that the file is as we left it. A file that was written only
  // just before the state may have changed since without another stamp, as clocks of file
  // systems tick slowly: it is not trusted.
  bool proves_unchanged(const PulledEntry& entry, const FileStamp& now) const;
};

// Throws data_loss for a file that is none.
std::optional<PullState> find_pull_state(const std::filesystem::path& file);
void save_pull_state(const std::filesystem::path& file, const PullState& state);

}  // namespace mendel::cli
