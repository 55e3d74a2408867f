#include "cli/run_start.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <regex>

#include "cli/journal_option.h"
#include "cli/key_value.h"
#include "cli/metric_points.h"
#include "cli/output.h"
#include "cli/repeated_option.h"
#include "cli/run_commands.h"
#include "cli/shell_word.h"
#include "storage/base/clock.h"
#include "storage/base/uuid.h"
#include "storage/manifest.h"

namespace mendel::cli {

namespace {

// The one namespace that the caller may write to.
std::string only_namespace(const GlobalOptions& global) {
  ApiClient server = connect(global);
  const Json roles = server.get("/api/v1/whoami").at("namespaces");
  std::string only;
  for (const auto& [ns, role] : roles.items()) {
    if (role == "reader") continue;
    if (!only.empty()) return {};
    only = ns;
  }
  return only;
}

ArtifactName full_name(const StartOptions& options, const GlobalOptions& global,
                       const std::string& name_otherwise) {
  const std::string name = options.name.empty() ? name_otherwise : options.name;
  if (name.find('/') != name.npos) return ArtifactName::parse(name);
  const char* variable = std::getenv("MENDEL_NAMESPACE");
  std::string ns = variable ? variable : "";
  if (ns.empty() && journal_directory(options.journal).empty()) ns = only_namespace(global);
  if (ns.empty()) {
    throw Error(ErrorCode::invalid_argument,
                "in which namespace? Name the run NAMESPACE/NAME, or set MENDEL_NAMESPACE");
  }
  return ArtifactName::parse(ns, name);
}

// As the server has it: with a journal it would be heard too late.
void check_keep(const std::string& keep) {
  static const std::regex rule(
      "(last|every):[1-9][0-9]{0,14}|best:[1-9][0-9]{0,14}:.+:(min|max)");
  for (std::size_t begin = 0; begin <= keep.size();) {
    const auto end = std::min(keep.find(',', begin), keep.size());
    const std::string text = keep.substr(begin, end - begin);
    if (!std::regex_match(text, rule)) {
      throw Error(
          ErrorCode::invalid_argument,
          "--keep '" + text +
              "': write best:N:METRIC:min, best:N:METRIC:max, last:N or every:STEPS");
    }
    begin = end + 1;
  }
}

// Where we are, below the root of the work tree that the source was read from; empty: at
// the root, or elsewhere.
std::string directory_below_root(const SourceOptions& source) {
  const std::filesystem::path here = std::filesystem::current_path();
  std::filesystem::path root = here;
  if (!source.directory.empty()) root = std::filesystem::absolute(source.directory);
  while (!std::filesystem::exists(root / ".git") && root.has_relative_path()) {
    root = root.parent_path();
  }
  const std::string below = here.lexically_relative(root.lexically_normal()).string();
  return storage::path_problem(below) ? "" : below;
}

Json body_of(const StartOptions& options, const ArtifactName& name, const std::string& id,
             int heartbeat_seconds) {
  Json body = {{"id", id},
               {"namespace", name.ns().text()},
               {"name", name.name().text()},
               {"started_at", time_now()}};
  if (!options.message.empty()) body["message"] = options.message;
  if (!options.keep.empty()) {
    check_keep(options.keep);
    body["keep"] = options.keep;
  }
  if (heartbeat_seconds > 0) body["heartbeat_seconds"] = heartbeat_seconds;
  for (const std::string& text : options.labels) {
    const KeyValue label = parse_key_value("--label", text);
    body["labels"][label.key] = label.value;
  }
  return body;
}

struct RunStartOptions {
  StartOptions start;
  int heartbeat_seconds = 0;
  bool shell = false;
};

void run_start(const RunStartOptions& options, const GlobalOptions& global) {
  const StartedRun run = start_run(options.start, global, "", options.heartbeat_seconds);
  if (options.shell) {
    fmt::print("export MENDEL_RUN={}\n", run.id);
    if (options.start.journal.empty()) return;
    const auto journal = std::filesystem::absolute(options.start.journal);
    fmt::print("export MENDEL_JOURNAL={}\n", shell_word(journal.string()));
  } else if (global.json) {
    print_json({{"id", run.id},
                {"namespace", run.name.ns().text()},
                {"name", run.name.name().text()}});
  } else {
    fmt::print("{}\n", run.id);
  }
}

}  // namespace

const char* const kStartHelp = R"(
A run is written NAMESPACE/NAME; without a namespace MENDEL_NAMESPACE is meant, or the only one
that the token may write to.

Of the checkpoints, --keep says which the server keeps; any rule that keeps one suffices, and the
one that a version was published from stays anyway:
  best:5:chi2_ndf:min   the five with the lowest chi2_ndf (max: the highest)
  last:2                the two of the highest steps
  every:100000          those whose step is a multiple
Without --keep, all stay.

With --journal DIR (or MENDEL_JOURNAL) nothing is sent: all is recorded in DIR, safe against a kill
at any time, until 'mendel send DIR' delivers it. References of inputs are then resolved when they
are delivered: name a version by its number.)";

void declare_start_options(CLI::App& app, StartOptions& options) {
  app.add_option("-m,--message", options.message, "what this run is about")
      ->type_name("TEXT");
  add_repeated(app, "--label", options.labels, "may be repeated")->type_name("KEY=VALUE");
  app.add_option("--keep", options.keep, "which checkpoints stay, see below")
      ->type_name("RULES");
  declare_journal_option(app, options.journal);
  declare_pedigree_options(app, options.pedigree);
}

StartedRun start_run(const StartOptions& options, const GlobalOptions& global,
                     const std::string& name_otherwise, int heartbeat_seconds) {
  const Pedigree pedigree = gather_pedigree(options.pedigree);
  const ArtifactName name = full_name(options, global, name_otherwise);
  StartedRun run{make_uuid_v7(SystemClock().now()), name,
                 open_recorder(options.journal, global)};
  Json body = body_of(options, name, run.id, heartbeat_seconds);
  if (!options.command.empty()) {
    body["command"] = options.command;
    const std::string directory = directory_below_root(options.pedigree.source);
    if (pedigree.body.contains("source") && !directory.empty()) {
      body["directory"] = directory;
    }
  }
  run.recorder->start(std::move(body), pedigree);
  return run;
}

void declare_run_start(CLI::App& app, const GlobalOptions& global) {
  CLI::App* command = app.add_subcommand("start", "start a run, and print its id");
  command->footer(std::string(R"help(
The id is printed. With --shell what is printed is for a shell, and whatever comes later in the
script, 'mendel push' included, belongs to the run:
  eval "$(mendel run start lhcb/wgan --shell --params params.yml --data lhcb/calib-2016:3)"
  …
  mendel run log --metric loss=0.12 --step 100
  mendel run finish --status finished

With --heartbeat the run is marked lost after three such periods without a 'mendel run heartbeat'
(and comes back with the next one); without it, never.
)help") + kStartHelp +
                  "\n" + kPedigreeHelp);
  auto options = std::make_shared<RunStartOptions>();
  command->add_option("NAME,--name", options->start.name, "namespace/name of the run")
      ->required()
      ->type_name("NAME");
  command->add_flag("--shell", options->shell, "print 'export MENDEL_RUN=…' for eval");
  command
      ->add_option("--heartbeat", options->heartbeat_seconds,
                   "there will be a heartbeat within so many seconds, 30 to 86400")
      ->check(CLI::Range(30, 86400))
      ->type_name("SECONDS");
  declare_start_options(*command, options->start);
  command->callback([options, &global] { run_start(*options, global); });
}

}  // namespace mendel::cli
