#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/api_client.h"
#include "cli/environment_record.h"
#include "cli/git_source.h"
#include "storage/base/reference.h"

namespace CLI {
class App;
}

namespace mendel::cli {

// What a version or a run is made from, as `push` and `run start` are told it.
struct PedigreeOptions {
  std::string params;
  std::string params_lossy;
  std::vector<std::string> data;
  std::vector<std::string> validated_on;
  std::vector<std::string> parents;
  std::vector<std::string> environments;
  SourceOptions source;
};

void declare_pedigree_options(CLI::App& app, PedigreeOptions& options);

// For the footer of a command that has these options.
extern const char* const kPedigreeHelp;

// What the options say, with all that was found on this machine.
struct Pedigree {
  Json body = Json::object();  // "inputs", "hyperparameters", "source" as far as there are
  std::string patch;           // what "source" names; empty: nothing
  std::optional<EnvironmentFiles> environment;  // of --env auto: an input once it is pushed
};

// Asks no server, so that mistakes show before a training or an upload. What the source
// leaves out is said on standard error. Throws invalid_argument with the option, the file
// or the value that is wrong, and what capture_source() throws.
Pedigree gather_pedigree(const PedigreeOptions& options);

// Gives the server what the body only names, and returns the members of a publish's or a
// run's body. owner is the artifact, or namespace and name of the run.
Json deliver_pedigree(const Pedigree& pedigree, ApiClient& server,
                      const ArtifactName& owner);

}  // namespace mendel::cli
