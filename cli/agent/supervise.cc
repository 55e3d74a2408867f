#include <CLI/CLI.hpp>

#include "cli/agent/supervisor.h"
#include "cli/command.h"

namespace mendel::cli {

namespace {

struct SuperviseOptions {
  std::string directory;
  std::int64_t seconds = 0;
  std::vector<std::string> command;
};

}  // namespace

void declare_supervise(CLI::App& app, const GlobalOptions&) {
  auto options = std::make_shared<SuperviseOptions>();
  app.add_option("--directory", options->directory, "of an attempt")->required();
  app.add_option("--seconds", options->seconds, "that it may take; 0: any");
  app.add_option("COMMAND", options->command, "after --")->required()->expected(-1);
  app.positionals_at_end();
  app.callback([options] {
    std::optional<std::chrono::seconds> time_max;
    if (options->seconds > 0) time_max = std::chrono::seconds(options->seconds);
    start_supervisor(AttemptFiles(options->directory), options->command, time_max);
  });
}

}  // namespace mendel::cli
