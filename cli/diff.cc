#include <fmt/core.h>

#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/manifest_diff.h"
#include "cli/output.h"
#include "cli/resolve.h"

namespace mendel::cli {

namespace {

struct DiffOptions {
  std::string before;
  std::string after;
};

const char* verb_of(const FileChange& change) {
  if (!change.before) return "added";
  return change.after ? "changed" : "removed";
}

const storage::ManifestFile& file_of(const FileChange& change) {
  return change.after ? *change.after : *change.before;
}

Json to_json(const FileChange& change) {
  Json item = {{"change", verb_of(change)}, {"path", file_of(change).path}};
  if (!file_of(change).platform.empty()) item["platform"] = file_of(change).platform;
  if (change.before) item["size_before"] = change.before->size_bytes;
  if (change.after) item["size_after"] = change.after->size_bytes;
  return item;
}

std::string size_of(const storage::ManifestFile* file) {
  return file ? format_size(file->size_bytes) : "";
}

void print_changes(const std::vector<FileChange>& changes) {
  Table table({"CHANGE", "PATH", "PLATFORM", "BEFORE", "AFTER"});
  for (const FileChange& change : changes) {
    table.add({verb_of(change), file_of(change).path, file_of(change).platform,
               size_of(change.before), size_of(change.after)});
  }
  table.print();
}

void diff(const DiffOptions& options, const GlobalOptions& global) {
  const Reference before = Reference::parse(options.before);
  const Reference after = Reference::parse(options.after);
  ApiClient server = connect(global);
  const ResolvedVersion old_version = get_version(server, before);
  const ResolvedVersion new_version = get_version(server, after);
  const storage::Manifest old_manifest = get_manifest(server, old_version);
  const storage::Manifest new_manifest = get_manifest(server, new_version);
  const auto changes = find_changes(old_manifest, new_manifest);

  if (global.json) {
    Json items = Json::array();
    for (const FileChange& change : changes) items.push_back(to_json(change));
    return print_json({{"before", old_version.reference()},
                       {"after", new_version.reference()},
                       {"items", items}});
  }
  if (changes.empty()) {
    fmt::print("{} and {} have the same files\n", old_version.reference(),
               new_version.reference());
  }
  print_changes(changes);
}

}  // namespace

void declare_diff(CLI::App& app, const GlobalOptions& global) {
  app.footer(R"(
Succeeds whether there are differences or not.

Example:
  mendel diff lhcb/lamarr-trk:16 lhcb/lamarr-trk@staging)");
  auto options = std::make_shared<DiffOptions>();
  app.add_option("BEFORE", options->before, "a version")->required();
  app.add_option("AFTER", options->after, "a version")->required();
  app.callback([options, &global] { diff(*options, global); });
}

}  // namespace mendel::cli
