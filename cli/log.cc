#include <CLI/CLI.hpp>

#include "cli/api_path.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/resolve.h"

namespace mendel::cli {

namespace {

void log(const std::string& name, const GlobalOptions& global) {
  const ArtifactName artifact = ArtifactName::parse(name);
  ApiClient server = connect(global);
  const auto kind = get_kind(server, artifact);
  const auto versions = server.get_all(artifact_path(kind, artifact) + "/versions");
  if (global.json) return print_json_items(versions);

  Table table({"VERSION", "MADE", "BY", "SIZE", "FILES", "STATE", "ALIASES", "MESSAGE"});
  for (const Json& version : versions) {
    const std::string message = text_of(version, "message");
    table.add({text_of(version, "version"), text_of(version, "created_at"),
               text_of(version, "created_by"),
               format_size(version.value("size_bytes", std::uint64_t{0})),
               text_of(version, "file_count"), text_of(version, "state"),
               joined(version, "aliases"), message.substr(0, message.find('\n'))});
  }
  table.print();
}

}  // namespace

void declare_log(CLI::App& app, const GlobalOptions& global) {
  app.footer(R"(
Example:
  mendel log lhcb/lamarr-trk)");
  auto name = std::make_shared<std::string>();
  app.add_option("NAME", *name, "an artifact: namespace/name")->required();
  app.callback([name, &global] { log(*name, global); });
}

}  // namespace mendel::cli
