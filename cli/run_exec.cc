#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <optional>

#include "cli/heartbeat.h"
#include "cli/interrupt.h"
#include "cli/journal_option.h"
#include "cli/metric_points.h"
#include "cli/resource_meter.h"
#include "cli/run_commands.h"
#include "cli/run_start.h"
#include "cli/supervised_command.h"

namespace mendel::cli {

namespace {

using Clock = std::chrono::steady_clock;

constexpr int kHeartbeatSeconds = 60;
constexpr std::chrono::seconds kFinishPatience{120};
constexpr std::chrono::seconds kFinishPauseMax{10};

struct ExecOptions {
  StartOptions start;
  int heartbeat_seconds = kHeartbeatSeconds;
};

// What a run is called after its command: what is no letter, digit, '.', '_' or '-' in the
// program's name becomes '-'.
std::string name_after(const std::string& program) {
  std::string name = std::filesystem::path(program).filename();
  for (char& c : name) {
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '.' && c != '_') c = '-';
  }
  name.erase(0, name.find_first_not_of("._-"));
  return name.empty() ? "run" : name.substr(0, 100);
}

const char* status_of(const CommandEnd& end) {
  if (end.signal != 0) return "killed";
  return end.exit_code == 0 ? "finished" : "failed";
}

// A server that is away now may be back soon.
void finish_persistently(StartedRun& run, Json body) {
  const auto deadline = Clock::now() + kFinishPatience;
  for (auto pause = std::chrono::seconds(1);;
       pause = std::min(2 * pause, kFinishPauseMax)) {
    try {
      return run.recorder->finish(run.id, body);
    } catch (const Error& error) {
      // The command has said so itself, at a time of its own.
      const bool has_ended = error.code() == ErrorCode::already_exists;
      if (has_ended && body.erase("finished_at") > 0) continue;
      if (!is_transient(error.code()) || Clock::now() + pause > deadline) throw;
    }
    sleep_unless_interrupted(pause);
  }
}

// The command's own status is what counts: that this failed is said, and no more.
void finish(StartedRun& run, const Json& body) {
  try {
    finish_persistently(run, body);
  } catch (const std::exception& error) {
    fmt::print(stderr,
               "mendel: the end of run {} is not recorded: {}\n"
               "mendel: to record it: mendel run finish --run {} --status {}\n",
               run.id, error.what(), run.id, body["status"].get<std::string>());
  }
}

struct Supervised {
  CommandEnd end;
  Json resources;
};

// Nothing here ends by a signal that is meant for the command.
Supervised supervise(const ExecOptions& options, const StartedRun& run,
                     const std::optional<ServerAccess>& server) {
  const HeldSignals signals;
  throw_if_interrupted();
  Variables variables = {{"MENDEL_RUN", run.id}};
  const std::string journal = journal_directory(options.start.journal);
  if (!journal.empty()) {
    variables.emplace_back("MENDEL_JOURNAL", std::filesystem::absolute(journal).string());
  }
  SupervisedCommand command(signals, options.start.command, variables);
  ResourceMeter meter;
  std::optional<Heartbeat> heartbeat;
  if (server) {
    heartbeat.emplace(*server, run.id, std::chrono::seconds(options.heartbeat_seconds));
  }
  const CommandEnd end = command.wait([&] {
    if (heartbeat) heartbeat->beat_now();
  });
  return {end, meter.resources(end)};
}

void exec(const ExecOptions& options, const GlobalOptions& global) {
  const bool offline = !journal_directory(options.start.journal).empty();
  StartedRun run =
      start_run(options.start, global, name_after(options.start.command.front()),
                offline ? 0 : options.heartbeat_seconds);
  const auto server = offline ? std::nullopt : std::optional(resolve_access(global));
  Supervised done;
  try {
    done = supervise(options, run, server);
  } catch (const std::exception&) {
    finish(run, {{"status", "killed"}, {"finished_at", time_now()}});
    throw;
  }
  finish(run, {{"status", status_of(done.end)},
               {"exit_status", done.end.status()},
               {"finished_at", time_now()},
               {"resources", done.resources}});
  throw CLI::RuntimeError(done.end.status());
}

}  // namespace

void declare_run_exec(CLI::App& app, const GlobalOptions& global) {
  CLI::App* command = app.add_subcommand("exec", "run a command, and record it as a run");
  command->footer(std::string(R"(
Starts a run, executes the command with MENDEL_RUN in its environment (so that 'mendel push',
'mendel run log' and mendel_run.py in it belong to the run), sends a heartbeat while it lasts, and
records how it ended and what it took. The exit status is the command's own: 128 and the signal's
number if a signal ended it, 127 if there is no such command.

  finished  it ended with status 0        failed  with another one
  killed    a signal ended it             lost    three heartbeats are overdue (it may come back)

Signals are passed on to the command. If the server is away when the run is to start, the command
is not begun (exit status 13); if it goes away later, the command goes on, and its end is tried to
be recorded for two minutes. If mendel itself is killed, the command goes on as well.

What is recorded of resources: wall and CPU time and the largest memory of the command with all its
children; GPU time as nvidia-smi tells it (how busy the GPUs of CUDA_VISIBLE_DEVICES were, times
seconds); energy of those GPUs and of this machine's processors (RAPL), where either can be read;
the host; and the site: MENDEL_SITE, DIRACSITE or GLIDEIN_Site.

Examples:
  mendel run exec --name lhcb/wgan --params params.yml --data lhcb/calib-2016:3 -- python3 train.py
  mendel run exec --name lhcb/wgan --journal $HOME/journal -- ./train --epochs 100
)") + kStartHelp + "\n" +
                  kPedigreeHelp);
  auto options = std::make_shared<ExecOptions>();
  command
      ->add_option("--name", options->start.name,
                   "namespace/name of the run, otherwise that of the command")
      ->type_name("NAME");
  command
      ->add_option("--heartbeat", options->heartbeat_seconds,
                   "seconds between signs of life, 30 to 86400")
      ->check(CLI::Range(30, 86400))
      ->type_name("SECONDS")
      ->capture_default_str();
  declare_start_options(*command, options->start);
  command
      ->add_option("COMMAND", options->start.command,
                   "after --: the command and its arguments")
      ->required()
      ->expected(-1);
  command->positionals_at_end();
  command->callback([options, &global] { exec(*options, global); });
}

}  // namespace mendel::cli
