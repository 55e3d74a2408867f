#include <fmt/core.h>

#include <CLI/CLI.hpp>

#include "cli/api_client.h"
#include "cli/api_path.h"
#include "cli/command.h"
#include "cli/output.h"

namespace mendel::cli {

namespace {

using storage::ArtifactKind;

struct ListOptions {
  std::string kind;
  std::string ns;
  std::string query;
};

std::vector<ArtifactKind> kinds_of(const ListOptions& options) {
  if (const auto kind = storage::parse_artifact_kind(options.kind)) return {*kind};
  return {ArtifactKind::model, ArtifactKind::dataset, ArtifactKind::environment};
}

std::string list_path(ArtifactKind kind, const ListOptions& options) {
  std::string path = artifacts_path(kind) + "?";
  if (!options.ns.empty()) path += "namespace=" + percent_encode(options.ns) + "&";
  if (!options.query.empty()) path += "q=" + percent_encode(options.query) + "&";
  path.pop_back();
  return path;
}

// "production=17 staging=18"
std::string aliases_of(const Json& item) {
  std::string text;
  const Json aliases = item.value("aliases", Json::object());
  for (const auto& [alias, number] : aliases.items()) {
    text += (text.empty() ? "" : " ") + alias + "=" + number.dump();
  }
  return text;
}

void list(const ListOptions& options, const GlobalOptions& global) {
  ApiClient server = connect(global);
  std::vector<Json> all;
  Table table({"ARTIFACT", "KIND", "NEWEST", "ALIASES", "CHANGED", "DESCRIPTION"});
  for (const ArtifactKind kind : kinds_of(options)) {
    for (Json& item : server.get_all(list_path(kind, options))) {
      table.add({text_of(item, "artifact"), text_of(item, "kind"), text_of(item, "newest"),
                 aliases_of(item), text_of(item, "changed_at"),
                 text_of(item, "description")});
      all.push_back(std::move(item));
    }
  }
  if (global.json) return print_json_items(all);
  table.print();
}

}  // namespace

void declare_list(CLI::App& app, const GlobalOptions& global) {
  app.footer(R"(
Examples:
  mendel list
  mendel list --kind model --namespace lhcb -q trk)");
  auto options = std::make_shared<ListOptions>();
  app.add_option("--kind", options->kind, "only models, datasets or environments")
      ->check(CLI::IsMember({"model", "dataset", "environment"}))
      ->type_name("KIND");
  app.add_option("--namespace", options->ns, "only of this namespace")->type_name("NAME");
  app.add_option("-q,--query", options->query, "only those whose name has this")
      ->type_name("TEXT");
  app.callback([options, &global] { list(*options, global); });
}

}  // namespace mendel::cli
