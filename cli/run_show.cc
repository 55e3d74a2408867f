#include <fmt/core.h>

#include <CLI/CLI.hpp>

#include "cli/output.h"
#include "cli/run_commands.h"

namespace mendel::cli {

namespace {

void print_line(const char* label, const std::string& text) {
  if (!text.empty()) fmt::print("{:<12}{}\n", label, printable(text));
}

void print_members(const char* label, const Json& object, std::string_view member) {
  const auto found = object.find(member);
  if (found == object.end() || !found->is_object()) return;
  for (const auto& [name, value] : found->items()) {
    print_line(label, name + " = " + text_of(*found, name));
  }
}

void print_inputs(const Json& run) {
  const auto inputs = run.find("inputs");
  if (inputs == run.end()) return;
  for (const Json& input : *inputs) {
    const std::string target = text_of(input, input.contains("ref") ? "ref" : "uri");
    print_line("input", text_of(input, "role") + "  " + target);
  }
}

void print_run(const Json& run) {
  print_line("run", text_of(run, "id"));
  print_line("name", text_of(run, "namespace") + "/" + text_of(run, "name"));
  print_line("status", text_of(run, "status"));
  print_line("exit status", text_of(run, "exit_status"));
  print_line("by", text_of(run, "created_by"));
  print_line("started", text_of(run, "started_at"));
  print_line("finished", text_of(run, "finished_at"));
  print_line("heartbeat", text_of(run, "heartbeat_at"));
  print_line("message", text_of(run, "message"));
  print_line("command", text_of(run, "command"));
  print_line("directory", text_of(run, "directory"));
  print_members("label", run, "labels");
  print_inputs(run);
  if (run.contains("hyperparameters")) {
    print_line("parameters", text_of(run["hyperparameters"], "digest"));
  }
  if (run.contains("source")) {
    const Json& source = run["source"];
    print_line("source", text_of(source, "repository"));
    print_line("commit", text_of(source, "commit") +
                             (source.value("dirty", false) ? " (dirty)" : ""));
  }
  print_members("metric", run, "metrics");
  print_members("resource", run, "resources");
  print_line("checkpoints", text_of(run, "checkpoint_count"));
  print_line("keep", text_of(run, "keep"));
  print_line("outputs", joined(run, "outputs"));
}

void show(const std::string& id, const GlobalOptions& global) {
  const std::string run = chosen_run(id);
  const Json found = connect(global).get(run_path(run));
  if (global.json) return print_json(found);
  print_run(found);
}

struct ListOptions {
  std::string ns;
  std::string status;
  std::size_t limit = 100;
};

void list(const ListOptions& options, const GlobalOptions& global) {
  std::string path = fmt::format("/api/v1/runs?limit={}", options.limit);
  if (!options.ns.empty()) path += "&namespace=" + percent_encode(options.ns);
  if (!options.status.empty()) path += "&status=" + options.status;
  const Json page = connect(global).get(path);
  if (global.json) return print_json({{"items", page.at("items")}});
  Table table({"RUN", "NAME", "STATUS", "STARTED", "BY", "MESSAGE"});
  for (const Json& run : page.at("items")) {
    table.add({text_of(run, "id"), text_of(run, "namespace") + "/" + text_of(run, "name"),
               text_of(run, "status"), text_of(run, "started_at"),
               text_of(run, "created_by"), text_of(run, "message")});
  }
  table.print();
}

}  // namespace

void declare_run_show(CLI::App& app, const GlobalOptions& global) {
  CLI::App* command = app.add_subcommand("show", "all about one run");
  auto id = std::make_shared<std::string>();
  command->add_option("ID,--run", *id, "the run, instead of MENDEL_RUN")->type_name("ID");
  command->callback([id, &global] { show(*id, global); });
}

void declare_run_list(CLI::App& app, const GlobalOptions& global) {
  CLI::App* command = app.add_subcommand("list", "runs, newest first");
  auto options = std::make_shared<ListOptions>();
  command->add_option("--namespace", options->ns, "only those of this namespace")
      ->type_name("NS");
  command
      ->add_option("--status", options->status,
                   "only those: running, finished, failed, killed, lost")
      ->check(CLI::IsMember({"running", "finished", "failed", "killed", "lost"}));
  command->add_option("--limit", options->limit, "at most so many")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command->callback([options, &global] { list(*options, global); });
}

}  // namespace mendel::cli
