#include "cli/command.h"

#include <fmt/core.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>

#include "cli/agent/agent.h"
#include "cli/output.h"
#include "cli/repeated_option.h"

namespace mendel::cli {

namespace {

constexpr int kLeaseSecondsMin = 5;
constexpr int kLeaseSecondsMax = 3600;
constexpr int kSlotsMax = 1000;

struct AgentOptions {
  AgentSettings settings;
  std::string work;
  std::size_t keep_failed = 5;
  RunnerOptions runner;
  int poll_seconds = 5;
};

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "agent";
}

void report(const AttemptOutcome& outcome, const GlobalOptions& global) {
  if (global.json) {
    Json document = {{"status", outcome.status}};
    if (!outcome.reason.empty()) document["reason"] = outcome.reason;
    if (!outcome.version.empty()) document["version"] = outcome.version;
    print_json(document);
  }
  if (outcome.status != "succeeded") throw CLI::RuntimeError(1);
}

void run_agent(AgentOptions options, const GlobalOptions& global) {
  if (options.settings.name.empty()) {
    options.settings.name = host_name() + "/" + std::to_string(::getpid());
  }
  options.runner.pause = std::chrono::seconds(options.poll_seconds);
  const auto runner = make_runner(options.runner);
  Agent agent(options.settings, resolve_access(global), *runner,
              options.runner.name == "shell",
              WorkDirectory::open(options.work, options.keep_failed));
  const auto outcome = agent.run();
  if (outcome) report(*outcome, global);
}

void declare_runner_options(CLI::App& app, RunnerOptions& options, int& poll_seconds) {
  app.add_option("--runner", options.name, "shell, slurm or htcondor")
      ->check(CLI::IsMember({"shell", "slurm", "htcondor"}))
      ->capture_default_str();
  add_repeated(app, "--slurm-option", options.slurm_options,
               "handed to sbatch: --slurm-option=--gres=gpu:1; may be repeated")
      ->type_name("OPTION");
  add_repeated(app, "--condor-option", options.condor_options,
               "a line of the submission: 'request_gpus = 1'; may be repeated")
      ->type_name("LINE");
  app.add_option("--poll-seconds", poll_seconds, "between questions to a batch system")
      ->check(CLI::Range(1, 600))
      ->type_name("SECONDS")
      ->capture_default_str();
}

constexpr const char* kHelp = R"(
Leases the jobs of a queue, one after the other or --slots at a time, and runs them where it is.
It only makes connections to the server, and needs a token with the scope 'agent' alone, of a
principal that is at least a writer in the namespaces whose jobs it is to run:
  mendel token create --principal site-cnaf --name agent --scope agent > agent.token
Commands run as the agent's user, and may read what it may: namespaces that do not trust each other
need agents of their own.

For each job it makes a directory and in it
  source/        a checkout at the job's commit, with git's own credentials; the command runs here
  inputs/NAME/   the versions that the job is made from, linked into source/
  params.json    the hyperparameters, linked into source/
and sets MENDEL_URL, MENDEL_TOKEN (of this attempt; worth nothing once it is over), MENDEL_JOB,
MENDEL_RUN and the secrets that the pipeline names. What the command prints is sent while it runs
('mendel job log --follow'); lines that begin with "mendel: " are the agent's. When it ends with
status 0, the files that the pipeline says are published as a version, with what they were made
from and in; each has to be younger than the command. A file's path in the version is relative to
the directory that its pattern begins with: out/lib.so is lib.so by "out/*.so".

Runners:
  shell     here. The command has a session of its own; at a time-out, or when the job is
            cancelled, all of its processes get SIGTERM and, ten seconds later, SIGKILL. What it
            leaves behind when it ends is ended, too
  slurm     by sbatch; --work is on a file system that the nodes share
  htcondor  by condor_submit; the same

An agent may be ended (Ctrl-C, SIGTERM) or killed at any time: what runs goes on, and an agent that
is started with the same --work takes it up again. Until then the lease may run out; then the job is
another's, and the agent that comes back ends the command and removes its directory. While the
server is away, commands go on.

With --once, one job is done: the exit status is 0 if it succeeded and 1 otherwise.

Examples:
  mendel agent --queue cnaf-gpu --work /scratch/mendel --token-file agent.token
  mendel agent --queue cnaf-gpu --work /shared/mendel --runner slurm \
         --slurm-option=--gres=gpu:1 --slots 20)";

}  // namespace

void declare_agent(CLI::App& app, const GlobalOptions& global) {
  app.footer(kHelp);
  auto options = std::make_shared<AgentOptions>();
  AgentSettings& settings = options->settings;
  app.add_option("--queue", settings.queue, "whose jobs")->required()->type_name("QUEUE");
  app.add_option("--work", options->work, "where it works; of this agent alone")
      ->required()
      ->type_name("DIR");
  app.add_option("--name", settings.name, "what jobs say of it; otherwise HOST/PID")
      ->type_name("NAME");
  app.add_option("--slots", settings.slots, "how many jobs at a time")
      ->check(CLI::Range(1, kSlotsMax))
      ->type_name("N")
      ->capture_default_str();
  app.add_flag("--once", settings.once, "one job, and no more");
  app.add_option("--lease-seconds", settings.lease_seconds,
                 "how long a job stays its own without a sign of life, 5 to 3600")
      ->check(CLI::Range(kLeaseSecondsMin, kLeaseSecondsMax))
      ->type_name("SECONDS")
      ->capture_default_str();
  app.add_option("--keep-failed", options->keep_failed,
                 "how many directories of failed jobs to keep, in DIR/failed")
      ->type_name("N")
      ->capture_default_str();
  declare_runner_options(app, options->runner, options->poll_seconds);
  app.callback([options, &global] { run_agent(*options, global); });
}

}  // namespace mendel::cli
