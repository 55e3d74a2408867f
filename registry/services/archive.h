#pragma once

#include <memory>
#include <string>
#include <vector>

#include "registry/services/blobs.h"
#include "registry/services/manifest_table.h"
#include "registry/services/tar_stream.h"

namespace mendel::registry {

// What is in the archive of a version: its own files, links and empty directories, those
// for all platforms first, each part sorted by path; of a model set, given as one tree,
// also those of its components. Not in it are files that are only referenced.
//
// With platforms, each path gives the file of the first of them that has it, or the one for
// all, at its path. Without, files of a single platform lie at their paths, too; but where
// there are several, or a path stands twice, the files of each platform lie in a directory
// of its name (as in mendel pull --platform all), beside those for all.
struct ArchivePlan {
  std::vector<TarEntry> entries;  // views into the manifest
  std::vector<BlobContent> contents;
};

// Throws not_found where a path would be left out and none of the platforms that were asked
// for is in the manifest, unprocessable where a platform's directory is also a path.
ArchivePlan plan_archive(const storage::Manifest& manifest,
                         const std::vector<std::string>& platforms);

// "a, b and c", for messages.
std::string list_in_words(const std::vector<std::string>& words);

}  // namespace mendel::registry
