#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cli/resolve.h"
#include "cli/workspace.h"

namespace mendel::cli {

// How a version was made, as far as its run tells.
struct RecordedCommand {
  std::vector<std::string> words;
  std::string directory;  // where it ran, below the root of the source
};

// A directory laid out from the pedigree of a version alone:
//
//   source/         the commit with the patch applied; inputs and params.json are linked
//                   into it, as an agent has them
//   inputs/NAME/    each input under its name, or its artifact's
//   params.json     the hyperparameters
//   environment.txt what it ran in
//   version.json    the version as the server tells it
//   README.md       what to run, and what is to come out
class Reproduction {
 public:
  // repository: where the commit is fetched from; empty: where the source says.
  Reproduction(ApiClient& server, const ResolvedVersion& version,
               std::filesystem::path directory, std::string repository);

  // The directory is empty or absent (already_exists). What cannot be had is thrown, and
  // what was laid out stays.
  void lay_out();

  const std::optional<RecordedCommand>& command() const { return command_; }

  // Runs the recorded command in its directory; what it prints goes to standard error. Its
  // exit status.
  int run() const;

  // What the command made of the version's files: found below source/ by their paths, as
  // they were pushed from some directory there.
  struct Outcome {
    std::vector<std::string> equal;   // bit for bit
    std::vector<std::string> differ;  // found, and other bytes
    std::vector<std::string> missing;
  };
  Outcome compare() const;

 private:
  void lay_out_source();
  void lay_out_inputs();
  void write_environment() const;
  void write_readme() const;
  void find_command();

  ApiClient& server_;
  const ResolvedVersion& version_;
  const std::filesystem::path directory_;
  const Workspace workspace_;
  const std::string repository_;
  std::optional<RecordedCommand> command_;
  std::vector<std::string> notes_;  // what is not recorded
};

}  // namespace mendel::cli
