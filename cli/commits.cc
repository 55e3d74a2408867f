#include <fmt/core.h>

#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/output.h"

namespace mendel::cli {

namespace {

// All versions and runs of every page.
Json get_commit(ApiClient& server, const std::string& commit) {
  const std::string path = "/api/v1/commits/" + percent_encode(commit) + "?limit=1000";
  Json whole = server.get(path);
  while (whole.contains("next")) {
    Json page =
        server.get(path + "&after=" + percent_encode(whole["next"].get<std::string>()));
    for (const char* const list : {"versions", "runs"}) {
      for (Json& item : page.value(list, Json::array())) whole[list].push_back(item);
    }
    whole.erase("next");
    if (page.contains("next")) whole["next"] = page["next"];
  }
  return whole;
}

void commits(std::string commit, const GlobalOptions& global) {
  for (char& c : commit) c = (c >= 'A' && c <= 'F') ? char(c - 'A' + 'a') : c;
  ApiClient server = connect(global);
  const Json found = get_commit(server, commit);
  if (global.json) return print_json(found);

  fmt::print("commit {}\n", text_of(found, "commit"));
  Table versions({"VERSION", "KIND", "STATE", "ALIASES", "RUN"});
  for (const Json& version : found.value("versions", Json::array())) {
    versions.add({text_of(version, "ref"), text_of(version, "kind"),
                  text_of(version, "state"), joined(version, "aliases"),
                  text_of(version, "run")});
  }
  versions.print();
  Table runs({"RUN", "NAMESPACE", "NAME", "STATUS", "STARTED"});
  for (const Json& run : found.value("runs", Json::array())) {
    runs.add({text_of(run, "id"), text_of(run, "namespace"), text_of(run, "name"),
              text_of(run, "status"), text_of(run, "started_at")});
  }
  runs.print();
}

}  // namespace

void declare_commits(CLI::App& app, const GlobalOptions& global) {
  app.footer(R"(
Its first 7 digits or more are enough, where no other commit begins so.

Example:
  mendel commits 3f2a9c1)");
  auto commit = std::make_shared<std::string>();
  app.add_option("SHA", *commit, "a commit, or its first digits")->required();
  app.callback([commit, &global] { commits(*commit, global); });
}

}  // namespace mendel::cli
