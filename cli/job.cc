#include <fmt/core.h>

#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/job_follow.h"
#include "cli/key_value.h"
#include "cli/output.h"
#include "cli/params.h"
#include "cli/repeated_option.h"
#include "storage/base/clock.h"
#include "storage/base/reference.h"
#include "storage/base/uuid.h"

namespace mendel::cli {

namespace {

constexpr int kListMax = 1000;

struct ListOptions {
  std::string ns;
  std::string pipeline;
  std::string state;
  int limit = 50;
};

std::string query_of(const ListOptions& options) {
  std::string query = "?limit=" + std::to_string(options.limit);
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) query += fmt::format("&{}={}", name, percent_encode(value));
  };
  add("namespace", options.ns);
  add("pipeline", options.pipeline);
  add("state", options.state);
  return query;
}

void list(const ListOptions& options, const GlobalOptions& global) {
  const Json page = connect(global).get("/api/v1/jobs" + query_of(options));
  if (global.json) return print_json(page);
  Table table({"ID", "PIPELINE", "STATE", "ATTEMPT", "CREATED", "REASON", "VERSION"});
  for (const Json& job : page.at("items")) {
    table.add({text_of(job, "id"), text_of(job, "pipeline"), text_of(job, "state"),
               text_of(job, "attempt") + "/" + text_of(job, "attempts_max"),
               text_of(job, "created_at"), printable(text_of(job, "reason")),
               text_of(job, "version")});
  }
  table.print();
}

void print_line(const char* what, const std::string& text) {
  if (!text.empty()) fmt::print("{:<16}{}\n", what, printable(text));
}

std::string command_of(const Json& job) {
  return job.contains("command") ? job["command"].dump() : "";
}

void show(const std::string& id, const GlobalOptions& global) {
  const Json job = connect(global).get(job_path(id));
  if (global.json) return print_json(job);
  print_line("job", text_of(job, "id"));
  print_line("pipeline", text_of(job, "pipeline"));
  print_line("state", text_of(job, "state"));
  print_line("waiting for", text_of(job, "waiting_for"));
  print_line("attempt",
             text_of(job, "attempt") + " of at most " + text_of(job, "attempts_max"));
  print_line("queue", text_of(job, "queue"));
  print_line("agent", text_of(job, "agent"));
  print_line("trigger", text_of(job, "trigger"));
  print_line("reason", text_of(job, "reason"));
  print_line("version", text_of(job, "version"));
  print_line("run", text_of(job, "run"));
  if (job.contains("source")) {
    print_line("repository", text_of(job["source"], "repository"));
    print_line("ref", text_of(job["source"], "ref"));
    print_line("commit", text_of(job["source"], "commit"));
  }
  for (const Json& input : job.value("inputs", Json::array())) {
    print_line("input", fmt::format("{}  {}  {}", text_of(input, "name"),
                                    text_of(input, "role"), text_of(input, "ref")));
  }
  print_line("hyperparameters", text_of(job, "hyperparameters"));
  print_line("command", command_of(job));
  for (const Json& step : job.value("transitions", Json::array())) {
    fmt::print("{}  {:<9} {:<12} {}\n", text_of(step, "at"), text_of(step, "to"),
               printable(text_of(step, "actor")), printable(text_of(step, "reason")));
  }
}

struct ReasonOptions {
  std::string id;
  std::string reason;
};

void change(const char* what, const ReasonOptions& options, const GlobalOptions& global) {
  Json body = Json::object();
  if (!options.reason.empty()) body["reason"] = options.reason;
  ApiClient server = connect(global);
  const Json answer = server.post(job_path(options.id) + "/" + what, body);
  if (global.json) return print_json(answer);
  const std::string state = text_of(server.get(job_path(options.id)), "state");
  fmt::print("{} is {}\n", options.id, state);
}

struct StartOptions {
  std::string pipeline;
  std::string reason;
  std::string params;
  std::vector<std::string> changes;
  bool wait = false;
};

// "lr=0.001" is a number; what is no JSON is a text.
Json params_of(const StartOptions& options) {
  Json params = Json::object();
  if (!options.params.empty()) params = load_params(options.params, Lossy::refuse);
  for (const std::string& text : options.changes) {
    const KeyValue pair = parse_key_value("--param", text);
    const Json value = Json::parse(pair.value, nullptr, false);
    params[pair.key] = value.is_discarded() ? Json(pair.value) : value;
  }
  return params;
}

void start(const StartOptions& options, const GlobalOptions& global) {
  const std::string id = make_uuid_v7(SystemClock().now());
  Json body = {{"id", id}, {"pipeline", ArtifactName::parse(options.pipeline).text()}};
  if (!options.reason.empty()) body["reason"] = options.reason;
  if (const Json params = params_of(options); !params.empty()) {
    body["hyperparameters"] = params;
  }
  ApiClient server = connect(global);
  const Json job = server.post("/api/v1/jobs", body, id);
  if (options.wait) return wait_for_job(server, text_of(job, "id"), global);
  if (global.json) return print_json(job);
  fmt::print("{}\n", text_of(job, "id"));
}

void add_list(CLI::App& app, const GlobalOptions& global) {
  CLI::App* command = app.add_subcommand("list", "jobs, newest first");
  auto options = std::make_shared<ListOptions>();
  command->add_option("--namespace", options->ns)->type_name("NAME");
  command->add_option("--pipeline", options->pipeline)->type_name("NAME");
  command->add_option("--state", options->state)
      ->check(CLI::IsMember(
          {"queued", "starting", "running", "succeeded", "failed", "cancelled", "lost"}))
      ->type_name("STATE");
  command->add_option("--limit", options->limit, "how many")
      ->check(CLI::Range(1, kListMax))
      ->type_name("N")
      ->capture_default_str();
  command->callback([options, &global] { list(*options, global); });
}

std::shared_ptr<std::string> declare_id(CLI::App& command) {
  auto id = std::make_shared<std::string>();
  command.add_option("ID", *id, "as 'mendel job list' shows it")->required();
  return id;
}

void add_show(CLI::App& app, const GlobalOptions& global) {
  CLI::App* command = app.add_subcommand("show", "all about one job");
  const auto id = declare_id(*command);
  command->callback([id, &global] { show(*id, global); });
}

void add_log(CLI::App& app, const GlobalOptions& global) {
  CLI::App* command = app.add_subcommand("log", "what a job printed");
  const auto id = declare_id(*command);
  auto options = std::make_shared<LogOptions>();
  command->add_option("--attempt", options->attempt, "otherwise the last")
      ->check(CLI::PositiveNumber)
      ->type_name("N");
  command->add_flag("-f,--follow", options->follow, "until the job has ended");
  command->callback([id, options, &global] {
    ApiClient server = connect(global);
    print_job_log(server, *id, *options);
  });
}

void add_change(CLI::App& app, const char* what, const char* help,
                const GlobalOptions& global) {
  CLI::App* command = app.add_subcommand(what, help);
  auto options = std::make_shared<ReasonOptions>();
  command->add_option("ID", options->id, "as 'mendel job list' shows it")->required();
  command->add_option("--reason", options->reason, "kept with the job")->type_name("TEXT");
  command->callback([what, options, &global] { change(what, *options, global); });
}

void add_wait(CLI::App& app, const GlobalOptions& global) {
  CLI::App* command = app.add_subcommand(
      "wait", "until a job has ended; exit status 0 if it succeeded, 1 otherwise");
  const auto id = declare_id(*command);
  command->callback([id, &global] {
    ApiClient server = connect(global);
    wait_for_job(server, *id, global);
  });
}

void add_start(CLI::App& app, const GlobalOptions& global) {
  CLI::App* command = app.add_subcommand("start", "make a job by hand; its id");
  auto options = std::make_shared<StartOptions>();
  command->add_option("PIPELINE", options->pipeline, "namespace/name")->required();
  command->add_option("--reason", options->reason, "kept with the job")->type_name("TEXT");
  command
      ->add_option("--params", options->params,
                   "hyperparameters that differ from the pipeline's, JSON or YAML")
      ->type_name("FILE");
  add_repeated(*command, "--param", options->changes, "one that differs; may be repeated")
      ->type_name("NAME=VALUE");
  command->add_flag("--wait", options->wait, "wait as 'mendel job wait' does");
  command->callback([options, &global] { start(*options, global); });
}

}  // namespace

void declare_job(CLI::App& app, const GlobalOptions& global) {
  app.require_subcommand(1);
  app.footer(R"(
A job is one start of a pipeline. It is queued until an agent leases it ('mendel agent --help'), then
starting and running, and in the end succeeded, failed, cancelled or lost; one that failed or was
lost is tried again as its pipeline says.

Examples:
  mendel job start lhcb/retrain-trk --reason "new calibration" --param lr=0.0005
  mendel job log 01902e1c-… --follow
  mendel job list --namespace lhcb --state failed
  mendel job retry 01902e1c-… --reason "the disk has room again")");
  add_list(app, global);
  add_show(app, global);
  add_log(app, global);
  add_start(app, global);
  add_wait(app, global);
  add_change(app, "cancel", "end a job; what it published stays", global);
  add_change(app, "retry", "queue a job again that has ended without success", global);
}

}  // namespace mendel::cli
