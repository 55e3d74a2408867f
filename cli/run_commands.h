#pragma once

#include <string>

#include "cli/config.h"
#include "cli/run_recorder.h"

namespace CLI {
class App;
}

namespace mendel::cli {

// The subcommands of `mendel run`, as command.h has them for mendel.
void declare_run_exec(CLI::App& app, const GlobalOptions& global);
void declare_run_start(CLI::App& app, const GlobalOptions& global);
void declare_run_log(CLI::App& app, const GlobalOptions& global);
void declare_run_checkpoint(CLI::App& app, const GlobalOptions& global);
void declare_run_heartbeat(CLI::App& app, const GlobalOptions& global);
void declare_run_finish(CLI::App& app, const GlobalOptions& global);
void declare_run_show(CLI::App& app, const GlobalOptions& global);
void declare_run_list(CLI::App& app, const GlobalOptions& global);

// --run and --journal.
void declare_record_options(CLI::App& app, RecordOptions& options);

}  // namespace mendel::cli
