#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <set>

#include "cli/command.h"
#include "cli/output.h"
#include "cli/pipeline_documents.h"

namespace mendel::cli {

namespace {

using Kind = PipelineDocument::Kind;

struct ApplyOptions {
  std::vector<std::string> files;
  bool dry_run = false;
};

// What applying a document does, or would do.
struct Planned {
  const PipelineDocument* document;
  bool is_new = false;
  std::vector<DocumentChange> changes;

  const char* word() const {
    if (is_new) return "new";
    return changes.empty() ? "unchanged" : "changed";
  }
};

std::string pipeline_path(const std::string& name) {
  const ArtifactName artifact = ArtifactName::parse(name);
  return "/api/v1/pipelines/" + percent_encode(artifact.ns().text()) + "/" +
         percent_encode(artifact.name().text());
}

// Without what the server adds when it tells of a document.
Json document_in(const Json& told) {
  static const std::set<std::string> kAdded = {
      "name",          "revision",    "owner",    "created_at", "created_by", "updated_at",
      "updated_by",    "next",        "next_at",  "pending",    "heard",      "errors",
      "last_fired_at", "last_reason", "last_job", "hidden"};
  Json document = Json::object();
  for (const auto& [member, value] : told.items()) {
    if (!kAdded.contains(member)) document[member] = value;
  }
  return document;
}

// As the server tells of it: with the defaults of what was not written.
Json with_defaults(const PipelineDocument& document) {
  Json told = document.body;
  if (document.kind == Kind::pipeline) return told;
  for (const auto& [member, value] : {std::pair<const char*, Json>{"enabled", true},
                                      {"debounce_seconds", 0},
                                      {"cooldown_seconds", 0}}) {
    if (!told.contains(member)) told[member] = value;
  }
  return told;
}

// A trigger of a pipeline that is new itself cannot be checked by the server before.
bool waits_for_another(const PipelineDocument& document,
                       const std::set<std::string>& new_pipelines) {
  if (document.kind != Kind::trigger) return false;
  try {
    const auto pipeline = ArtifactName::parse(text_of(document.body, "pipeline"));
    return new_pipelines.contains(pipeline.folded());
  } catch (const Error&) {
    return false;  // the server says what is wrong with it
  }
}

Planned plan(ApiClient& server, const PipelineDocument& document,
             const std::set<std::string>& new_pipelines) {
  const auto before = server.find(document.path());
  if (!waits_for_another(document, new_pipelines)) {
    server.put(document.path() + "?dry_run=true", document.body);
  }
  Planned planned{&document, !before, {}};
  if (before) {
    planned.changes = changes_between(document_in(*before), with_defaults(document));
  }
  return planned;
}

// All of them are asked about before any is sent, and all that is wrong is said at once.
std::vector<Planned> plan_all(ApiClient& server,
                              const std::vector<PipelineDocument>& documents) {
  std::vector<Planned> planned;
  std::set<std::string> new_pipelines;
  std::string problems;
  ErrorCode code = ErrorCode::unprocessable;
  for (const PipelineDocument& document : documents) {
    try {
      planned.push_back(plan(server, document, new_pipelines));
      if (document.kind == Kind::pipeline && planned.back().is_new) {
        new_pipelines.insert(document.name.folded());
      }
    } catch (const Error& error) {
      if (is_transient(error.code()) || error.code() == ErrorCode::cancelled) throw;
      if (problems.empty()) code = error.code();
      problems += fmt::format("{}{} ({}): {}", problems.empty() ? "" : "\n",
                              document.title(), document.place, error.what());
    }
  }
  if (!problems.empty()) throw Error(code, problems + "\nnothing was applied");
  return planned;
}

void report(const std::vector<Planned>& planned, const ApplyOptions& options,
            const GlobalOptions& global) {
  Json items = Json::array();
  for (const Planned& each : planned) {
    Json item = {{"kind", each.document->kind == Kind::pipeline ? "pipeline" : "trigger"},
                 {"name", each.document->name.text()},
                 {"result", each.word()},
                 {"changes", Json::array()}};
    if (!global.json) fmt::print("{}: {}\n", each.document->title(), each.word());
    for (const DocumentChange& change : each.changes) {
      if (!global.json) fmt::print("{}\n", describe(change));
      Json described = {{"pointer", change.pointer}};
      if (!change.before.is_null()) described["before"] = change.before;
      if (!change.after.is_null()) described["after"] = change.after;
      item["changes"].push_back(std::move(described));
    }
    items.push_back(std::move(item));
  }
  if (global.json) return print_json({{"applied", !options.dry_run}, {"items", items}});
  if (options.dry_run) fmt::print("nothing was applied\n");
}

// A trigger of a new pipeline is checked only now.
void send_all(ApiClient& server, const std::vector<PipelineDocument>& documents) {
  std::string applied;
  for (const PipelineDocument& document : documents) {
    try {
      server.put(document.path(), document.body);
    } catch (const Error& error) {
      throw Error(
          error.code(),
          fmt::format(
              "{} ({}): {}\n{}", document.title(), document.place, error.what(),
              applied.empty() ? "nothing was applied" : "applied before it: " + applied));
    }
    applied += (applied.empty() ? "" : ", ") + document.title();
  }
}

void apply(const ApplyOptions& options, const GlobalOptions& global) {
  const auto documents = read_pipeline_documents(options.files);
  ApiClient server = connect(global);
  const auto planned = plan_all(server, documents);
  if (!options.dry_run) send_all(server, documents);
  report(planned, options, global);
}

void list(const std::string& ns, const GlobalOptions& global) {
  const std::string query = ns.empty() ? "" : "?namespace=" + percent_encode(ns);
  const auto items = connect(global).get_all("/api/v1/pipelines" + query);
  if (global.json) return print_json_items(items);
  Table table({"NAME", "QUEUE", "PRODUCES", "REVISION", "UPDATED"});
  for (const Json& item : items) {
    table.add({text_of(item, "name"), text_of(item, "queue"),
               text_of(item.value("produces", Json::object()), "artifact"),
               text_of(item, "revision"), text_of(item, "updated_at")});
  }
  table.print();
}

void remove(const std::string& name, const GlobalOptions& global) {
  connect(global).remove(pipeline_path(name), nullptr);
  if (global.json) return print_json(Json::object());
  fmt::print("pipeline {} is deleted; its jobs stay\n", name);
}

void declare_apply(CLI::App& app, const GlobalOptions& global) {
  CLI::App* command = app.add_subcommand(
      "apply", "make the server's pipelines and triggers those of files");
  command->footer(R"(
A file has any number of YAML documents, parted by '---': each with kind (pipeline or trigger), name
and what the server takes. All are checked before any is sent, but for triggers of pipelines that are
new themselves. What differs is printed:
  + a member that is new        - one that goes        ~ one that changes
What is on the server and in no file stays; 'mendel pipeline delete' removes it.

Example:
  kind: pipeline
  name: lhcb/retrain-trk
  engine: agent
  queue: cnaf-gpu
  source: {repository: 'https://git.example.org/train.git', ref: main}
  command: [snakemake, -c4, all]
  inputs: {data: lhcb/calib-2016@latest}
  hyperparameters: {lr: 0.001}
  produces: {artifact: lhcb/lamarr-trk, files: ['out/*.so'], metrics: out/metrics.json}
  limits: {concurrency: 1, per_day: 4, timeout_seconds: 86400}
  retry: {attempts: 3}
  ---
  kind: trigger
  name: lhcb/on-new-calib
  pipeline: lhcb/retrain-trk
  when: {new_version: lhcb/calib-2016}
  debounce_seconds: 600)");
  auto options = std::make_shared<ApplyOptions>();
  command->add_option("FILE", options->files, "YAML; - is standard input")
      ->required()
      ->expected(-1);
  command->add_flag("--dry-run", options->dry_run,
                    "say what would change, and change nothing");
  command->callback([options, &global] { apply(*options, global); });
}

std::shared_ptr<std::string> declare_name(CLI::App& command) {
  auto name = std::make_shared<std::string>();
  command.add_option("NAME", *name, "namespace/name")->required();
  return name;
}

}  // namespace

void declare_pipeline(CLI::App& app, const GlobalOptions& global) {
  app.require_subcommand(1);
  app.footer(R"(
A pipeline says how a version is made again: of which source and inputs, by which command, on which
agents' queue. A trigger says when. Keep both in git, and apply them from there.

Examples:
  mendel pipeline apply pipelines.yml --dry-run
  mendel pipeline apply pipelines.yml
  mendel job start lhcb/retrain-trk --wait)");
  declare_apply(app, global);

  CLI::App* list_command = app.add_subcommand("list", "pipelines that you may see");
  auto ns = std::make_shared<std::string>();
  list_command->add_option("--namespace", *ns)->type_name("NAME");
  list_command->callback([ns, &global] { list(*ns, global); });

  CLI::App* show_command = app.add_subcommand("show", "all about one pipeline");
  const auto shown = declare_name(*show_command);
  show_command->callback(
      [shown, &global] { print_json(connect(global).get(pipeline_path(*shown))); });

  CLI::App* delete_command = app.add_subcommand("delete", "remove a pipeline");
  const auto deleted = declare_name(*delete_command);
  delete_command->callback([deleted, &global] { remove(*deleted, global); });
}

}  // namespace mendel::cli
