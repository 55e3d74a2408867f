#pragma once

#include <filesystem>
#include <string>

#include "cli/pull_version.h"

namespace mendel::cli {

// A directory in which a version is made, or made again:
//
//   source/        the checkout; the command runs here
//   inputs/NAME/   each input under its name
//   params.json    the hyperparameters
//
// with links to the latter two in source/, unless the source has such names itself.
class Workspace {
 public:
  explicit Workspace(std::filesystem::path directory) : directory_(std::move(directory)) {}

  std::filesystem::path source() const { return directory_ / "source"; }
  std::filesystem::path inputs() const { return directory_ / "inputs"; }
  std::filesystem::path params() const { return directory_ / "params.json"; }

  // All files of the version, for all platforms. Throws what pull_version() throws.
  PulledVersion add_input(ApiClient& server, const ResolvedVersion& version,
                          const std::string& name) const;

  void add_params(const Json& hyperparameters) const;

  // Once source/ is there. False: the source has an entry of that name itself.
  bool link_inputs() const;
  bool link_params() const;

 private:
  std::filesystem::path directory_;
};

// Throws internal or out_of_space.
void write_whole_file(const std::filesystem::path& path, const std::string& content);

}  // namespace mendel::cli
