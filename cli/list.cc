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

// "ns/name" of an item, whichever way the server spells it.
std::string artifact_of(const Json& item) {
  const std::string artifact = text_of(item, "artifact");
  return artifact.empty() ? text_of(item, "namespace") + "/" + text_of(item, "name")
                          : artifact;
}

std::string newest_of(const Json& item) {
  const auto newest = item.find("newest");
  if (newest == item.end()) return {};
  return newest->is_object() ? text_of(*newest, "version") : newest->dump();
}

// "production → 17, staging → 18", whether the server lists names, objects or a map.
std::string aliases_of(const Json& item) {
  const Json aliases = item.value("aliases", Json::array());
  if (aliases.is_array() && (aliases.empty() || aliases[0].is_string())) {
    return joined(item, "aliases");
  }
  std::string text;
  for (const auto& [name, value] : aliases.items()) {
    const std::string alias = aliases.is_array() ? text_of(value, "alias") : name;
    const std::string version =
        value.is_object() ? text_of(value, "version") : value.dump();
    text += (text.empty() ? "" : ", ") + alias + " → " + version;
  }
  return text;
}

void list(const ListOptions& options, const GlobalOptions& global) {
  ApiClient server = connect(global);
  std::vector<Json> all;
  Table table({"ARTIFACT", "KIND", "NEWEST", "ALIASES", "DESCRIPTION"});
  for (const ArtifactKind kind : kinds_of(options)) {
    for (Json& item : server.get_all(list_path(kind, options))) {
      table.add({artifact_of(item), std::string(to_string(kind)), newest_of(item),
                 aliases_of(item), text_of(item, "description")});
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
