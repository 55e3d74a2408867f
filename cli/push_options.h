#pragma once

#include <string>
#include <vector>

#include "cli/pedigree_options.h"
#include "cli/tree_scan.h"
#include "storage/manifest.h"

namespace CLI {
class App;
}

namespace mendel::cli {

// What `mendel push` was told.
struct PushOptions {
  std::string kind;
  std::string name;
  std::vector<std::string> paths;
  std::vector<std::string> platform_paths;
  std::vector<std::string> components;
  std::string list;  // of files that stay where they are
  std::string run;
  std::string checkpoint;
  PedigreeOptions pedigree;
  std::vector<std::string> aliases;
  std::vector<std::string> labels;
  std::vector<std::string> metrics;
  std::string message;
  std::string idempotency_key;
  std::string journal;
  bool dry_run = false;
};

// With the help of the command.
void declare_push_options(CLI::App& app, PushOptions& options);

// What is published, but for the manifest and the pedigree. Throws invalid_argument.
Json description_of(const PushOptions& options);

// What to gather of where it came from. A run knows which commit it was started from, and
// the tree may have changed since: then no repository is read unless one is asked for.
PedigreeOptions pedigree_of(const PushOptions& options);

// The files that the version will have. Throws invalid_argument.
std::vector<ScannedFile> gather_files(const PushOptions& options);

}  // namespace mendel::cli
