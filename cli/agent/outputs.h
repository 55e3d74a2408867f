#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "cli/tree_scan.h"

namespace mendel::cli {

// A pattern (storage/base/glob.h) of files below source/, and the platform that they are
// for; empty: for all.
struct OutputRule {
  std::string pattern;
  std::string platform;
};

// What a command made, as a version will have it, in the order of the manifest.
//
// A file's path in the version is relative to the directory that its pattern begins with:
// out/lib.so is lib.so by "out/*.so" and by "out/lib.so". A pattern that fits a directory
// means all files in it; of one that is named in full they are relative to it, as
// `mendel push` has it. Links to directories are not followed, and neither git's own files
// nor the links to inputs/ and params.json are ever meant.
//
// begin_ns is when the command began, by the clock of the same file system. Throws
// unprocessable, naming them: patterns that match nothing, files that are older, that lead
// out of source, that are no files, and two of the same path and platform.
std::vector<ScannedFile> collect_outputs(const std::filesystem::path& source,
                                         const std::vector<OutputRule>& rules,
                                         std::int64_t begin_ns);

// The path of one file below source that the command made. Throws unprocessable.
std::filesystem::path find_output(const std::filesystem::path& source,
                                  const std::string& name, std::int64_t begin_ns);

}  // namespace mendel::cli
