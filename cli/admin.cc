#include "cli/admin.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>

#include "cli/api_client.h"
#include "cli/command.h"
#include "cli/output.h"

namespace mendel::cli {

namespace {

struct FsckOptions {
  bool rebuild_index = false;
  bool verify = false;
};

void fsck(const FsckOptions& options, const GlobalOptions& global) {
  ApiClient server = connect(global);
  const Json report =
      server.post("/api/v1/admin/rebuild-index", {{"verify_everything", options.verify}});
  const auto problems = report.at("problems").get<std::vector<std::string>>();
  if (global.json) {
    print_json(report);
  } else {
    fmt::print("{} packs: {} blobs, {} manifests, {} attached again\n",
               report.at("packs").get<std::uint64_t>(),
               report.at("blobs").get<std::uint64_t>(),
               report.at("manifests").get<std::uint64_t>(),
               report.at("attached").get<std::uint64_t>());
    for (const std::string& problem : problems)
      fmt::print("damaged: {}\n", printable(problem));
  }
  if (!problems.empty()) {
    throw Error(ErrorCode::data_loss,
                fmt::format("the object store has {} damaged parts", problems.size()));
  }
}

}  // namespace

void declare_admin(CLI::App& app, const GlobalOptions& global) {
  app.require_subcommand(1);
  CLI::App* command = app.add_subcommand(
      "fsck", "make the index of what is stored again, from what is stored");
  command->footer(R"(
Every blob and manifest can be found from the object store alone. What is there already
stays; what is damaged is reported and left out, and makes the exit status 14.

Example:
  mendel admin fsck --rebuild-index)");
  auto options = std::make_shared<FsckOptions>();
  command->add_flag("--rebuild-index", options->rebuild_index, "make missing rows again")
      ->required();
  command->add_flag("--verify", options->verify, "read and hash every byte that is stored");
  command->callback([options, &global] { fsck(*options, global); });
  declare_purge(app, global);
  declare_audit(app, global);
  declare_rotate_secrets(app, global);
}

}  // namespace mendel::cli
