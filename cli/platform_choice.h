#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "storage/manifest.h"

namespace mendel::cli {

// A file of a manifest that will be pulled, and where to.
struct ChosenFile {
  std::size_t position;  // in the manifest's list of files
  std::string path;      // below the directory that is pulled into
};

// What --platform said: "" (nothing), "all", or platforms in the order of preference.
//
// A file for one of the wanted platforms comes before the file of that path for all
// platforms. With "all", files for a platform go into a directory of its name. Throws
// invalid_argument, naming the platforms, if nothing was said and there are several;
// not_found if there are files for platforms, and none for the wanted ones.
struct PlatformChoice {
  bool all = false;
  bool may_lack = false;  // auto: files for all platforms will do
  std::vector<std::string> wanted;
};

std::vector<ChosenFile> choose_files(const storage::Manifest& manifest,
                                     const PlatformChoice& choice);

// The option's text; "auto" means own_platform, which throws invalid_argument if it is
// empty.
PlatformChoice parse_platform_choice(std::string_view option,
                                     std::string_view own_platform);

// MENDEL_PLATFORM, or LHCb's BINARY_TAG, or nothing.
std::string own_platform();

// A platform and what it can run as well: lower levels of the same architecture.
// x86_64_v3-el9-gcc13-opt, x86_64_v2-el9-gcc13-opt, x86_64-el9-gcc13-opt.
std::vector<std::string> with_lower_levels(std::string_view platform);

}  // namespace mendel::cli
