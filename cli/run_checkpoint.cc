#include <fmt/core.h>

#include <CLI/CLI.hpp>

#include "cli/metric_points.h"
#include "cli/output.h"
#include "cli/repeated_option.h"
#include "cli/run_commands.h"

namespace mendel::cli {

namespace {

struct CheckpointOptions {
  RecordOptions record;
  std::int64_t step = 0;
  std::string kind = "model";
  std::vector<std::string> metrics;
  std::vector<std::string> paths;
};

void run_checkpoint(const CheckpointOptions& options, const GlobalOptions& global) {
  const std::string run = chosen_run(options.record.run);
  const Checkpoint checkpoint{options.step, *storage::parse_artifact_kind(options.kind),
                              metrics_object(options.metrics)};
  std::vector<PushPath> paths;
  for (const std::string& path : options.paths) paths.push_back({path, ""});
  std::vector<ScannedFile> files = scan_paths(paths);

  const auto recorder = open_recorder(options.record.journal, global);
  const Json made = recorder->checkpoint(run, checkpoint, std::move(files));
  if (global.json) return print_json(made);
  fmt::print("step {}  {}  {}\n", text_of(made, "step"), text_of(made, "digest"),
             text_of(made, "state"));
}

}  // namespace

void declare_run_checkpoint(CLI::App& app, const GlobalOptions& global) {
  CLI::App* command =
      app.add_subcommand("checkpoint", "keep files of a run as they are at a step");
  command->footer(R"(
The files are sent as those of 'mendel push' are: of a file that grows or changes slowly, only what
is new. Whether the checkpoint stays is decided by the rules that the run was started with
(--keep). One of them is later made a version, without sending its bytes again:
  mendel push model lhcb/wgan --run $MENDEL_RUN --checkpoint best:chi2_ndf:min

Example:
  mendel run checkpoint --step 1844000 --metric chi2_ndf=2.4 weights/)");
  auto options = std::make_shared<CheckpointOptions>();
  command->add_option("--step", options->step, "the step")->required()->type_name("N");
  add_repeated(*command, "--metric", options->metrics, "how good it is; may be repeated")
      ->type_name("NAME=VALUE");
  command->add_option("--kind", options->kind, "model, dataset or environment")
      ->check(CLI::IsMember({"model", "dataset", "environment"}))
      ->capture_default_str();
  command->add_option("PATH", options->paths, "files and directories")->required();
  declare_record_options(*command, options->record);
  command->callback([options, &global] { run_checkpoint(*options, global); });
}

}  // namespace mendel::cli
