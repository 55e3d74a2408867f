#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/output.h"
#include "cli/resolve.h"

namespace mendel::cli {

namespace {

using storage::ManifestFile;

std::string what_of(const ManifestFile& file) {
  if (file.digest) return file.digest->to_string();
  if (!file.link.empty()) return "link to " + file.link;
  if (file.directory) return "empty directory";
  return "at " + (file.locations.empty() ? file.checksum : file.locations.front());
}

std::string size_of(const ManifestFile& file) {
  return file.directory || !file.link.empty() ? "" : std::to_string(file.size_bytes);
}

void files(const std::string& text, const GlobalOptions& global) {
  const Reference reference = Reference::parse(text);
  ApiClient server = connect(global);
  const ResolvedVersion version = get_version(server, reference);
  const storage::Manifest manifest = get_manifest(server, version);
  if (global.json) return print_json(Json::parse(encode_manifest(manifest)));

  Table table({"SIZE", "PATH", "PLATFORM", "CONTENT"});
  for (const ManifestFile& file : manifest.files) {
    const std::string path = file.path + (file.executable ? " *" : "");
    table.add({size_of(file), path, file.platform, what_of(file)});
  }
  for (const auto& component : manifest.components) {
    table.add({"", component.name + "/", "", component.ref});
  }
  table.print();
}

}  // namespace

void declare_files(CLI::App& app, const GlobalOptions& global) {
  app.footer(R"(
Sizes are in bytes; '*' marks what is executable. With --json, the manifest as it is.

Example:
  mendel files lhcb/lamarr-trk:17)");
  auto reference = std::make_shared<std::string>();
  app.add_option("REF", *reference, "a version")->required();
  app.callback([reference, &global] { files(*reference, global); });
}

}  // namespace mendel::cli
