#pragma once

#include <map>
#include <string>

#include "cli/api_client.h"
#include "storage/base/environment_name.h"

namespace mendel::cli {

// What --env auto finds where it runs, as the files of an environment:
//
//   environment.json       interpreter, platform, CPU, GPU driver, modules, container
//   requirements.txt       the Python packages, as `pip freeze` has them
//   conda-explicit.txt     the packages of an active conda environment
//
// The same environment makes the same bytes; what is not there is left out.
using EnvironmentFiles = std::map<std::string, std::string>;
EnvironmentFiles record_environment();

inline constexpr const char* kEnvironmentMessage = "recorded by --env auto";

// Makes them a version of environment_of(owner), unless the newest one is that already; its
// reference.
std::string push_environment(const EnvironmentFiles& files, ApiClient& server,
                             const ArtifactName& owner);

}  // namespace mendel::cli
