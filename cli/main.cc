#include <fmt/core.h>

#include <CLI/CLI.hpp>

#include "cli/api_client.h"
#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/interrupt.h"
#include "cli/kpi_commands.h"

namespace mendel::cli {

namespace {

constexpr const char* kFiles = "Bytes, in and out";
constexpr const char* kRun = "Training";
constexpr const char* kAgain = "Making it again";
constexpr const char* kCount = "Counting what was made with it";
constexpr const char* kLook = "Looking";
constexpr const char* kChange = "Changing what a version is for";
constexpr const char* kAccess = "Server and access";
constexpr const char* kHidden = "";

struct Command {
  const char* group;
  const char* name;
  const char* summary;
  void (*declare)(CLI::App& app, const GlobalOptions& global);
};

constexpr Command kCommands[] = {
    {kFiles, "push", "make a version of files and directories", declare_push},
    {kFiles, "pull", "bring the files of a version into a directory", declare_pull},
    {kFiles, "cat", "write one file of a version to standard output", declare_cat},
    {kFiles, "url", "print the URL of a file, which never changes its meaning",
     declare_url},
    {kFiles, "verify", "check a version, or a directory that was pulled into",
     declare_verify},
    {kFiles, "reproduce", "lay out all that made a version, and perhaps make it again",
     declare_reproduce},
    {kRun, "run", "record what a training does", declare_run},
    {kRun, "send", "deliver what was recorded without a network", declare_send},
    {kAgain, "pipeline", "how versions are made again", declare_pipeline},
    {kAgain, "trigger", "when they are made again", declare_trigger},
    {kAgain, "job", "what was started, and how it went", declare_job},
    {kAgain, "agent", "lease jobs and run them here, or in a batch system", declare_agent},
    {kCount, "kpi", "what was produced with models, counted once", declare_kpi},
    {kLook, "list", "what is there", declare_list},
    {kLook, "show", "all about one version", declare_show},
    {kLook, "log", "the versions of an artifact, newest first", declare_log},
    {kLook, "files", "the files of a version", declare_files},
    {kLook, "diff", "what differs between two versions", declare_diff},
    {kLook, "search", "find versions and runs by what they are and what made them",
     declare_search},
    {kLook, "pedigree", "what made a version, or what it reached", declare_pedigree},
    {kLook, "commits", "what was made from a commit", declare_commits},
    {kChange, "alias", "movable names for versions", declare_alias},
    {kChange, "yank", "mark a version 'do not use'", declare_yank},
    {kChange, "restore", "take a yank back", declare_restore},
    {kChange, "delete", "remove a version that nothing needs", declare_delete},
    {kAccess, "login", "remember a server and a token", declare_login},
    {kAccess, "whoami", "as whom the server knows you", declare_whoami},
    {kAccess, "namespace", "namespaces and their members", declare_namespace},
    {kAccess, "principal", "people and services", declare_principal},
    {kAccess, "token", "tokens of people and services", declare_token},
    {kAccess, "secret", "what jobs need and nobody reads", declare_secret},
    {kAccess, "hook", "where hosts of repositories tell of pushes", declare_hook},
    {kAccess, "admin", "what an operator does", declare_admin},
    {kAccess, "completion", "completion for a shell", declare_completion},
    {kHidden, "supervise", "watch over the command of a job", declare_supervise},
};

constexpr const char* kSummary =
    "mendel keeps every version of models, datasets and environments, and where it came "
    "from.\n"
    "\n"
    "A version is written lhcb/lamarr-trk:17, or by what points at it: lhcb/lamarr-trk "
    "(the\n"
    "latest), lhcb/lamarr-trk@production (an alias), lhcb/lamarr-trk@sha256:… (its "
    "digest).";

constexpr const char* kFooter = R"(
Example:
  mendel login https://mendel.example.org
  mendel push model lhcb/lamarr-trk out/ -m "retrained" --alias staging
  mendel pull lhcb/lamarr-trk@staging --to model/

Environment:
  MENDEL_URL, MENDEL_TOKEN     the server and the token; flags come first, the login last
  MENDEL_RUN, MENDEL_JOURNAL   the run that is recorded, and where, without a network
  MENDEL_KPI_JOURNAL           the file that takes events of KPIs, without a network
  MENDEL_NAMESPACE, MENDEL_SITE
                               the namespace of runs that name none, and where they run
  MENDEL_PLATFORM, BINARY_TAG  what --platform auto means
  MENDEL_CACHE, MENDEL_CACHE_MAX
                               where jobs of one node share what they pull, and how much
  MENDEL_CACERT, CURL_CA_BUNDLE, SSL_CERT_FILE, SSL_CERT_DIR
                               certificates to trust, in PEM; otherwise the system's
  XDG_CONFIG_HOME              where mendel/config.json is, otherwise ~/.config

Exit status:
  0 done            10 not found, gone 13 not now: try again
  1 failure         11 conflict        14 damaged data
  2 wrong usage     12 access denied   130 interrupted
Any other number means failure, too.

'mendel COMMAND --help' tells more.)";

void declare_global_options(CLI::App& app, GlobalOptions& global) {
  constexpr const char* kGroup = "Options of every command";
  app.add_option("--url", global.url, "the server, instead of MENDEL_URL or the login's")
      ->type_name("URL")
      ->group(kGroup);
  app.add_option("--token-file", global.token_file, "the token's file; - is standard input")
      ->type_name("FILE")
      ->group(kGroup);
  app.add_option("--cacert", global.ca_file, "certificates to trust, in PEM")
      ->type_name("FILE")
      ->group(kGroup);
  app.add_flag("--plain-http", global.plain_http,
               "let the token travel in clear to an http:// server on another machine")
      ->group(kGroup);
  app.add_flag("--json", global.json, "one JSON document on standard output, nothing else")
      ->group(kGroup);
}

// For whatever can be run: a command without subcommands.
void declare_global_options_below(CLI::App& app, GlobalOptions& global) {
  const auto subcommands = app.get_subcommands([](CLI::App*) { return true; });
  for (CLI::App* subcommand : subcommands)
    declare_global_options_below(*subcommand, global);
  if (subcommands.empty()) declare_global_options(app, global);
}

void declare_commands(CLI::App& app, GlobalOptions& global) {
  app.require_subcommand(1);
  app.set_version_flag("--version", "mendel " MENDEL_VERSION);
  app.footer(kFooter);
  for (const Command& command : kCommands) {
    CLI::App* subcommand = app.add_subcommand(command.name, command.summary);
    subcommand->group(command.group);
    command.declare(*subcommand, global);
  }
  declare_global_options_below(app, global);
  declare_global_options(app, global);
}

void report(const Error& error, const GlobalOptions& global) {
  if (!global.json) {
    fmt::print(stderr, "mendel: {}\n", error.what());
    return;
  }
  const auto* problem = dynamic_cast<const ServerProblem*>(&error);
  Json document = problem ? problem->document() : Json::object();
  if (!document.contains("type")) {
    document["type"] = "/problems/" + std::string(wire_name(error.code()));
    document["detail"] = error.what();
  }
  fmt::print(stderr, "{}\n", document.dump(2, ' ', false, Json::error_handler_t::replace));
}

int run(int argc, char** argv) {
  CLI::App app(kSummary, "mendel");
  GlobalOptions global;
  declare_commands(app, global);
  try {
    app.parse(argc, argv);  // and runs the command
    return kExitOk;
  } catch (const CLI::RuntimeError& end) {
    return end.get_exit_code();  // of the command that it was to run
  } catch (const CLI::ParseError& misuse) {
    return app.exit(misuse) == 0 ? kExitOk : kExitUsage;
  } catch (const Error& error) {
    report(error, global);
    return exit_code(error.code());
  } catch (const std::exception& bug) {
    fmt::print(stderr, "mendel: internal error: {}\n", bug.what());
    return kExitFailure;
  }
}

}  // namespace

}  // namespace mendel::cli

int main(int argc, char** argv) {
  mendel::cli::catch_interrupts();
  return mendel::cli::run(argc, argv);
}
