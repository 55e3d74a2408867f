#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/key_value.h"
#include "cli/kpi_commands.h"
#include "cli/kpi_documents.h"
#include "cli/output.h"
#include "cli/pipeline_documents.h"
#include "cli/repeated_option.h"

namespace mendel::cli {

namespace {

struct DefineOptions {
  std::vector<std::string> files;
  bool dry_run = false;

  std::string id;
  std::string title, description, unit, symbol, display_unit, count, direction;
  std::string since, deadline;
  std::optional<double> display_scale, threshold;
  std::vector<std::string> namespaces, filter, keys;
  bool allow_negative = false;
};

struct Planned {
  const KpiDocument* document;
  bool is_new = false;
  std::vector<DocumentChange> changes;

  const char* word() const {
    if (is_new) return "new";
    return changes.empty() ? "unchanged" : "changed";
  }
};

Json counting(const std::string& text) {
  constexpr std::string_view kDistinct = "distinct:";
  if (!std::string_view(text).starts_with(kDistinct)) return text;
  return {{"distinct", text.substr(kDistinct.size())}};
}

Json filter_of(const std::vector<std::string>& given) {
  Json filter = Json::object();
  for (const std::string& text : given) {
    const KeyValue pair = parse_key_value("--filter", text);
    filter[pair.key].push_back(pair.value);
  }
  return filter;
}

KpiDocument document_of(const DefineOptions& options) {
  Json body = Json::object();
  const auto set = [&](const char* member, const std::string& text) {
    if (!text.empty()) body[member] = text;
  };
  set("title", options.title);
  set("description", options.description);
  set("unit", options.unit);
  set("symbol", options.symbol);
  set("direction", options.direction);
  set("since", options.since);
  set("deadline", options.deadline);
  if (!options.display_unit.empty()) body["display"]["unit"] = options.display_unit;
  if (options.display_scale) body["display"]["scale"] = *options.display_scale;
  if (!options.count.empty()) body["count"] = counting(options.count);
  if (options.threshold) body["threshold"] = *options.threshold;
  if (!options.namespaces.empty()) body["namespaces"] = options.namespaces;
  if (!options.filter.empty()) body["filter"] = filter_of(options.filter);
  if (!options.keys.empty()) body["keys"] = options.keys;
  if (options.allow_negative) body["allow_negative"] = true;
  return {options.id, body, "the command line"};
}

std::vector<KpiDocument> documents_of(const DefineOptions& options) {
  if (options.id.empty() == options.files.empty()) {
    throw Error(ErrorCode::invalid_argument, "give either an ID and its options or --file");
  }
  if (!options.files.empty()) return read_kpi_documents(options.files);
  return {document_of(options)};
}

Planned plan(ApiClient& server, const KpiDocument& document) {
  const auto before = server.find(document.path());
  Planned planned{&document, !before, {}};
  if (before) {
    planned.changes = changes_between(definition_in(*before), definition_in(document.body));
  }
  return planned;
}

// Those before it stay defined: each is a whole by itself, and may be sent again.
void send(ApiClient& server, const KpiDocument& document) {
  try {
    server.put(document.path(), document.body);
  } catch (const ServerProblem& problem) {
    throw ServerProblem(
        problem.code(),
        fmt::format("{} ({}): {}", document.id, document.place, problem.what()),
        problem.document());
  }
}

Json report(const Planned& planned, bool is_quiet) {
  Json item = {
      {"id", planned.document->id}, {"result", planned.word()}, {"changes", Json::array()}};
  if (!is_quiet) fmt::print("{}: {}\n", planned.document->id, planned.word());
  for (const DocumentChange& change : planned.changes) {
    if (!is_quiet) fmt::print("{}\n", describe(change));
    Json described = {{"pointer", change.pointer}};
    if (!change.before.is_null()) described["before"] = change.before;
    if (!change.after.is_null()) described["after"] = change.after;
    item["changes"].push_back(std::move(described));
  }
  return item;
}

void define(const DefineOptions& options, const GlobalOptions& global) {
  const auto documents = documents_of(options);
  ApiClient server = connect(global);
  Json items = Json::array();
  for (const KpiDocument& document : documents) {
    const Planned planned = plan(server, document);
    if (!options.dry_run) send(server, document);
    items.push_back(report(planned, global.json));
  }
  if (global.json) return print_json({{"defined", !options.dry_run}, {"items", items}});
  if (options.dry_run) fmt::print("nothing was defined\n");
}

std::string count_text(const Json& definition) {
  const Json count = definition.value("count", Json("sum"));
  return count.is_string() ? count.get<std::string>()
                           : "distinct " + text_of(count, "distinct");
}

void list(const GlobalOptions& global) {
  const auto items = connect(global).get_all("/api/v1/kpis");
  if (global.json) return print_json_items(items);
  Table table({"ID", "TITLE", "COUNT", "THRESHOLD", "SINCE", "DEADLINE", "REVISION"});
  for (const Json& item : items) {
    const bool at_most = text_of(item, "direction") == "at-most";
    table.add(
        {text_of(item, "id"), text_of(item, "title"), count_text(item),
         (at_most ? "≤ " : "≥ ") + text_of(item, "threshold") + " " + text_of(item, "unit"),
         text_of(item, "since"), text_of(item, "deadline"), text_of(item, "revision")});
  }
  table.print();
}

void print_line(const char* what, const std::string& text) {
  if (!text.empty()) fmt::print("{:<14}{}\n", what, printable(text));
}

// What each revision changed of the one before it, the newest first.
void print_revisions(const Json& revisions) {
  for (std::size_t i = 0; i < revisions.size(); ++i) {
    const Json& revision = revisions[i];
    fmt::print("\nrevision {}, {} by {}\n", text_of(revision, "revision"),
               text_of(revision, "defined_at"), printable(text_of(revision, "defined_by")));
    if (i + 1 == revisions.size()) return;
    const auto changes =
        changes_between(definition_in(revisions[i + 1].value("definition", Json::object())),
                        definition_in(revision.value("definition", Json::object())));
    for (const DocumentChange& change : changes) fmt::print("{}\n", describe(change));
  }
}

void show(const std::string& id, const GlobalOptions& global) {
  const Json kpi = connect(global).get(kpi_path(id));
  if (global.json) return print_json(kpi);
  const Json display = kpi.value("display", Json::object());
  print_line("KPI", text_of(kpi, "id"));
  print_line("title", text_of(kpi, "title"));
  print_line("description", text_of(kpi, "description"));
  print_line("counts", count_text(kpi));
  print_line("unit", text_of(kpi, "unit"));
  print_line("shown in", text_of(display, "unit"));
  print_line("scale", text_of(display, "scale"));
  print_line("symbol", text_of(kpi, "symbol"));
  print_line("threshold", text_of(kpi, "threshold"));
  print_line("direction", text_of(kpi, "direction"));
  print_line("since", text_of(kpi, "since"));
  print_line("deadline", text_of(kpi, "deadline"));
  print_line("namespaces", joined(kpi, "namespaces"));
  print_line("filter", text_of(kpi, "filter"));
  print_line("keys", joined(kpi, "keys"));
  print_revisions(kpi.value("revisions", Json::array()));
}

}  // namespace

void declare_kpi_define(CLI::App& app, const GlobalOptions& global) {
  app.footer(R"(
A definition is kept with all that it was before: what changes now changes no report of the past, and
a report says which revision it used. Of several, each that was sent stays when a later one is refused.

Examples:
  mendel kpi define KPI2.2.1.2 --title "Experiments" --symbol N_EXP --unit experiments \
    --count distinct:experiment --threshold 2
  mendel kpi define --file kpis.yml --dry-run

A file has a list of definitions, or YAML documents with one each:
  kpis:
    - id: KPI2.2.1.1
      title: Events from ML simulation
      unit: events
      symbol: N_MC
      display: {unit: billion events, scale: 1e9}
      count: sum                  # or entries, or {distinct: experiment}
      threshold: 1e9              # in units
      direction: at-least         # or at-most
      since: 2023-09-01
      deadline: 2025-12-31
      namespaces: [lhcb]
      filter: {experiment: [LHCb]})");
  auto options = std::make_shared<DefineOptions>();
  app.add_option("ID", options->id, "its name, such as KPI2.2.1.1");
  app.add_option("--file", options->files, "definitions in YAML; - is standard input")
      ->type_name("FILE");
  app.add_flag("--dry-run", options->dry_run, "say what would change, and change nothing");
  app.add_option("--title", options->title)->type_name("TEXT");
  app.add_option("--description", options->description)->type_name("TEXT");
  app.add_option("--unit", options->unit, "of its values: events")->type_name("TEXT");
  app.add_option("--symbol", options->symbol, "how a table calls it: N_MC")
      ->type_name("TEXT");
  app.add_option("--display-unit", options->display_unit,
                 "what reports show: billion events")
      ->type_name("TEXT");
  app.add_option("--display-scale", options->display_scale, "units in it: 1e9")
      ->type_name("NUMBER");
  app.add_option("--count", options->count,
                 "sum of values, if nothing is said; entries; or distinct:KEY, the values "
                 "of a subject key")
      ->type_name("HOW");
  app.add_option("--threshold", options->threshold, "what is to be reached, in units")
      ->type_name("NUMBER");
  app.add_option("--direction", options->direction, "at-least, if nothing is said; at-most")
      ->type_name("WORD");
  app.add_option("--since", options->since, "what happened before does not count")
      ->type_name("DATE");
  app.add_option("--deadline", options->deadline, "its last day")->type_name("DATE");
  add_repeated(app, "--namespace", options->namespaces, "whose events count; all otherwise")
      ->type_name("NAME");
  add_repeated(app, "--filter", options->filter, "only events with this subject count")
      ->type_name("KEY=VALUE");
  add_repeated(app, "--key", options->keys, "a subject key that reports go by, and fast")
      ->type_name("KEY");
  app.add_flag("--allow-negative", options->allow_negative, "values below zero");
  app.callback([options, &global] { define(*options, global); });
}

void declare_kpi_list(CLI::App& app, const GlobalOptions& global) {
  app.callback([&global] { list(global); });
}

void declare_kpi_show(CLI::App& app, const GlobalOptions& global) {
  auto id = std::make_shared<std::string>();
  app.add_option("ID", *id)->required();
  app.callback([id, &global] { show(*id, global); });
}

}  // namespace mendel::cli
