#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "cli/local_file.h"
#include "storage/manifest.h"

namespace mendel::cli {

// A path that was named on the command line, and the platform it is for; empty: for all.
struct PushPath {
  std::filesystem::path path;
  std::string platform;
};

// What will be one entry of the manifest. Links and empty directories are complete; a file
// to store has its size and lacks its digest, which only reading it can tell.
struct ScannedFile {
  storage::ManifestFile entry;
  std::filesystem::path source;  // of a file to store; otherwise empty
};

// Lists what a push of these paths consists of, in the order of the manifest. A directory
// is its files, with their paths relative to it; a file is its base name, and a link that
// is named itself is what it points at. Below a directory, links are recorded as links,
// empty directories as such, and directories called .mendel are passed over.
//
// Throws invalid_argument, saying which and why, for what a version cannot hold: links that
// are absolute or leave the directory, sockets, pipes and devices, names that break a rule
// of the manifest, and two paths that make the same entry.
std::vector<ScannedFile> scan_paths(std::span<const PushPath> paths);

}  // namespace mendel::cli
