#include <fmt/core.h>

#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/output.h"
#include "cli/reproduction.h"

namespace mendel::cli {

namespace {

struct ReproduceOptions {
  std::string reference;
  std::string directory;
  std::string repository;
  bool run = false;
};

void print_paths(const char* what, const std::vector<std::string>& paths) {
  for (const std::string& path : paths) fmt::print("{:<8}{}\n", what, printable(path));
}

void report_outcome(const ResolvedVersion& version, int status,
                    const Reproduction::Outcome& outcome, const GlobalOptions& global) {
  const bool is_equal = outcome.differ.empty() && outcome.missing.empty();
  if (global.json) {
    print_json({{"reference", version.reference()},
                {"digest", version.digest.to_string()},
                {"exit_status", status},
                {"reproduced", is_equal},
                {"equal", outcome.equal},
                {"differ", outcome.differ},
                {"missing", outcome.missing}});
  } else {
    print_paths("equal", outcome.equal);
    print_paths("differs", outcome.differ);
    print_paths("missing", outcome.missing);
  }
  if (!is_equal) {
    throw Error(
        ErrorCode::failed_precondition,
        fmt::format("{} came out otherwise: {} files differ, {} are missing",
                    version.reference(), outcome.differ.size(), outcome.missing.size()));
  }
  if (!global.json) {
    fmt::print("{}  {}: bit for bit the same\n", version.reference(),
               version.digest.to_string());
  }
}

void reproduce(const ReproduceOptions& options, const GlobalOptions& global) {
  const Reference reference = Reference::parse(options.reference);
  ApiClient server = connect(global);
  const ResolvedVersion version = get_version(server, reference);
  warn_if_yanked(version);
  Reproduction reproduction(server, version, options.directory, options.repository);
  reproduction.lay_out();
  if (!options.run) {
    if (global.json) {
      return print_json({{"reference", version.reference()},
                         {"digest", version.digest.to_string()},
                         {"directory", options.directory}});
    }
    fmt::print("{}  {}: see {}/README.md\n", version.reference(),
               version.digest.to_string(), options.directory);
    return;
  }
  const int status = reproduction.run();
  if (status != 0) {
    throw Error(ErrorCode::failed_precondition,
                fmt::format("the command ended with status {}", status));
  }
  report_outcome(version, status, reproduction.compare(), global);
}

}  // namespace

void declare_reproduce(CLI::App& app, const GlobalOptions& global) {
  app.footer(R"(
Lays out a directory from the pedigree alone: the source at its commit with its patch applied,
the inputs under their names, the hyperparameters, what it ran in, and a README.md that says what
to run. The commit is fetched with the git that is installed, and so with your credentials.

With --run, the command that 'mendel run exec' recorded is run there, and the files that it makes
are compared with those of the version: exit status 0 if all are the same bit for bit; 11 if any
differs or is missing, or the command fails. A file is looked for by its path, below any directory
of the source. The environment is not set up: run this within it.

Examples:
  mendel reproduce lhcb/lamarr-trk@production --to again/
  mendel reproduce lhcb/lamarr-trk:17 --to again/ --run
  mendel reproduce lhcb/lamarr-trk:17 --to again/ --git ~/train)");
  auto options = std::make_shared<ReproduceOptions>();
  app.add_option("REF", options->reference, "a version")->required();
  app.add_option("--to", options->directory, "a new directory")
      ->required()
      ->type_name("DIR");
  app.add_option("--git", options->repository,
                 "where to fetch the commit from, instead of the recorded repository")
      ->type_name("URL|DIR");
  app.add_flag("--run", options->run,
               "run the recorded command, and compare what it makes");
  app.callback([options, &global] { reproduce(*options, global); });
}

}  // namespace mendel::cli
