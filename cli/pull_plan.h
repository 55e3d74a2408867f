#pragma once

#include <map>
#include <string>
#include <vector>

#include "cli/platform_choice.h"
#include "cli/pull_state.h"
#include "cli/target_directory.h"
#include "storage/manifest.h"

namespace mendel::cli {

// What a pull does about files that it did not write and that have other contents.
enum class Strangers { refuse, replace };

// Whether files of the previous pull that are not wanted any more are removed.
enum class Leftovers { keep, remove };

struct PullOptions {
  Strangers strangers;
  Leftovers leftovers;
};

// What makes a directory hold what was chosen.
struct PullPlan {
  std::vector<ChosenFile> fetch;
  std::vector<ChosenFile> links;
  std::vector<ChosenFile> directories;
  std::vector<ChosenFile> elsewhere;        // data that is referenced, and not pulled
  std::map<std::string, PulledEntry> kept;  // right already
  std::vector<std::string> mode_changes;    // of kept files, their executable bit
  std::vector<std::string> remove_first;    // in the way of what is new
  std::vector<std::string> remove_last;
  std::vector<std::string> left_changed;  // not wanted any more, but changed by somebody
};

// Compares, and changes nothing. known has what earlier pulls wrote, the last one first;
// one that was interrupted counts. Throws already_exists, naming them, where files are in
// the way; unprocessable for a manifest that wants to write to .mendel.
PullPlan plan_pull(const storage::Manifest& manifest, const std::vector<ChosenFile>& chosen,
                   const TargetDirectory& target, const std::vector<PullState>& known,
                   PullOptions options);

// The entry that a manifest's file becomes; without a stamp.
PulledEntry entry_of(const storage::ManifestFile& file);

}  // namespace mendel::cli
