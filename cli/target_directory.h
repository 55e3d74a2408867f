#pragma once

#include <atomic>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/local_file.h"
#include "cli/parent_directories.h"
#include "cli/partial_file.h"

namespace mendel::cli {

struct LocalEntry {
  enum class Type { file, directory, link, other };
  Type type;
  FileStamp stamp;
  bool executable = false;
  std::string link;  // where it points
};

// The directory that a pull writes into. Paths are relative to it, '/'-separated, and lead
// through directories only: a link on the way is refused (failed_precondition), so that
// nothing is ever written outside, whatever the paths say.
//
// What is written becomes visible at once and whole: it is made below .mendel/partial and
// renamed to its place. One pull at a time works in a directory: a second one is told so
// (aborted). Several threads may create and place files.
class TargetDirectory {
 public:
  // Makes it and its parents if need be.
  static TargetDirectory open_or_create(const std::filesystem::path& directory);

  // To look only: needs no right to write there, and waits for nobody.
  static TargetDirectory open(const std::filesystem::path& directory);

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path state_file() const { return path_ / ".mendel/pull.json"; }

  // What pulls that have not ended were going to make of it; and a name for one more.
  std::vector<std::filesystem::path> incoming_files() const;
  std::filesystem::path new_incoming_file() const;

  std::optional<LocalEntry> find(const std::string& path) const;
  Fd open_file(const std::string& path) const;

  PartialFile create_file(bool executable) const;

  // Where a file may be made in another way, to be placed.
  std::filesystem::path new_partial_path() const;

  // Replaces a file or link that is there. Throws already_exists for a directory.
  FileStamp place_file(PartialFile file, const std::string& path) const;
  void place_link(const std::string& target, const std::string& path) const;
  void make_directory(const std::string& path) const;

  // A file that has other names beside this one becomes a copy first: they keep their mode.
  FileStamp set_executable(const std::string& path, bool executable) const;

  // The file, link or empty directory, and then the parents that became empty.
  void remove(const std::string& path) const;

 private:
  TargetDirectory(std::filesystem::path path, Fd directory, Fd lock);
  void remove_partial_files() const;

  std::filesystem::path path_;
  std::unique_ptr<ParentDirectories> parents_;
  Fd lock_;
  std::unique_ptr<std::atomic<std::uint64_t>> partial_count_;
};

}  // namespace mendel::cli
