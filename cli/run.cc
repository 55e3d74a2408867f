#include <fmt/core.h>

#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/journal_option.h"
#include "cli/key_value.h"
#include "cli/output.h"
#include "cli/repeated_option.h"
#include "cli/run_commands.h"

namespace mendel::cli {

namespace {

struct FinishOptions {
  RecordOptions record;
  std::string status;
  std::vector<std::string> resources;
};

// Numbers are numbers; host and site are text.
Json resources_of(const std::vector<std::string>& texts) {
  Json resources = Json::object();
  for (const std::string& text : texts) {
    const KeyValue pair = parse_key_value("--resource", text);
    const bool is_text = pair.key == "host" || pair.key == "site";
    resources[pair.key] = is_text ? Json(pair.value) : metric_value(pair);
  }
  return resources;
}

void finish(const FinishOptions& options, const GlobalOptions& global) {
  const std::string run = chosen_run(options.record.run);
  Json body = {{"status", options.status}};
  if (!options.resources.empty()) body["resources"] = resources_of(options.resources);
  open_recorder(options.record.journal, global)->finish(run, body);
  if (global.json) print_json({{"id", run}, {"status", options.status}});
}

void heartbeat(const std::string& option, const GlobalOptions& global) {
  const std::string run = chosen_run(option);
  const Json answer = connect(global).post(run_path(run) + "/heartbeat", Json::object());
  if (global.json) return print_json(answer);
  fmt::print("{}\n", text_of(answer, "status"));
}

}  // namespace

void declare_record_options(CLI::App& app, RecordOptions& options) {
  app.add_option("--run", options.run, "the run, instead of MENDEL_RUN")->type_name("ID");
  declare_journal_option(app, options.journal);
}

void declare_run_finish(CLI::App& app, const GlobalOptions& global) {
  CLI::App* command = app.add_subcommand("finish", "say that a run is over, and how");
  command->footer(R"(
Resources that may be told: wall_seconds, cpu_seconds, gpu_seconds, energy_kwh,
peak_memory_bytes, host, site.

Example:
  mendel run finish --status finished --resource gpu_seconds=21000 --resource site=CNAF)");
  auto options = std::make_shared<FinishOptions>();
  command->add_option("--status", options->status, "finished, failed or killed")
      ->required()
      ->check(CLI::IsMember({"finished", "failed", "killed"}));
  add_repeated(*command, "--resource", options->resources, "what it took; may be repeated")
      ->type_name("NAME=VALUE");
  declare_record_options(*command, options->record);
  command->callback([options, &global] { finish(*options, global); });
}

void declare_run_heartbeat(CLI::App& app, const GlobalOptions& global) {
  CLI::App* command = app.add_subcommand(
      "heartbeat", "a sign of life of a run that was started with --heartbeat");
  auto run = std::make_shared<std::string>();
  command->add_option("--run", *run, "the run, instead of MENDEL_RUN")->type_name("ID");
  command->callback([run, &global] { heartbeat(*run, global); });
}

void declare_run(CLI::App& app, const GlobalOptions& global) {
  app.require_subcommand(1);
  app.footer(R"help(
A run is one execution that makes versions: its inputs, hyperparameters and source, its metrics over
steps, its checkpoints, and what it took.

The whole thing in one line:
  mendel run exec --name lhcb/wgan --params params.yml --data lhcb/calib-2016:3 -- python3 train.py

Or step by step:
  eval "$(mendel run start lhcb/wgan --shell --params params.yml --keep best:5:chi2_ndf:min,last:2)"
  mendel run log --metric loss=0.12 --step 100
  mendel run checkpoint --step 100 --metric chi2_ndf=2.4 weights/
  mendel run finish --status finished
  mendel push model lhcb/wgan --checkpoint best:chi2_ndf:min

From Python: cli/python/mendel_run.py, one file without dependencies.)help");
  declare_run_exec(app, global);
  declare_run_start(app, global);
  declare_run_log(app, global);
  declare_run_checkpoint(app, global);
  declare_run_heartbeat(app, global);
  declare_run_finish(app, global);
  declare_run_show(app, global);
  declare_run_list(app, global);
}

}  // namespace mendel::cli
