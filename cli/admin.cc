#include "cli/admin.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cli/api_client.h"
#include "cli/command.h"
#include "cli/output.h"
#include "storage/base/error.h"

namespace mendel::cli {

namespace {

struct FsckOptions {
  bool ledger = false;
  bool rebuild_index = false;
  bool verify = false;
};

void print_problems(const Json& report) {
  for (const auto& problem : report.at("problems").get<std::vector<std::string>>())
    fmt::print("damaged: {}\n", printable(problem));
}

void rebuild_index(ApiClient& server, bool verify, const GlobalOptions& global) {
  const Json report =
      server.post("/api/v1/admin/rebuild-index", {{"verify_everything", verify}});
  if (global.json) {
    print_json(report);
  } else {
    fmt::print("{} packs: {} blobs, {} manifests, {} attached again\n",
               report.at("packs").get<std::uint64_t>(),
               report.at("blobs").get<std::uint64_t>(),
               report.at("manifests").get<std::uint64_t>(),
               report.at("attached").get<std::uint64_t>());
    print_problems(report);
  }
  const auto count = report.at("problems").size();
  if (count > 0) {
    throw Error(ErrorCode::data_loss,
                fmt::format("the object store has {} damaged parts", count));
  }
}

void check_ledger(ApiClient& server, const GlobalOptions& global) {
  const Json report = server.post("/api/v1/admin/check-ledger", Json::object());
  if (global.json) {
    print_json(report);
  } else {
    fmt::print("ledger: {} entries in {} batches, up to {}\n",
               report.at("entries").get<std::uint64_t>(),
               report.at("batches").get<std::uint64_t>(),
               printable(report.at("head").at("hash").get<std::string>()));
    print_problems(report);
  }
  const auto count = report.at("problems").size();
  if (count > 0) {
    throw Error(ErrorCode::data_loss,
                fmt::format("the ledger is not what was recorded: {} problems", count));
  }
}

void fsck(const FsckOptions& options, const GlobalOptions& global) {
  ApiClient server = connect(global);
  if (options.rebuild_index) {
    rebuild_index(server, options.verify, global);
  } else {
    check_ledger(server, global);
  }
}

}  // namespace

void declare_admin(CLI::App& app, const GlobalOptions& global) {
  app.require_subcommand(1);
  CLI::App* command =
      app.add_subcommand("fsck", "check what is recorded, and repair what can be repaired");
  command->footer(R"(
Without a flag, and with --ledger, the ledger of KPI events is checked: that no entry was
altered, added or taken away since it was recorded, and that sums are those of entries. This
changes nothing.

With --rebuild-index, the index of what is stored is made again, from what is stored: every
blob and manifest can be found from the object store alone. What is there already stays; what
is damaged is reported and left out.

The exit status is 14 when something is damaged.

Examples:
  mendel admin fsck
  mendel admin fsck --rebuild-index --verify)");
  auto options = std::make_shared<FsckOptions>();
  auto* ledger = command->add_flag("--ledger", options->ledger,
                                   "check the ledger of KPI events (so without a flag)");
  auto* rebuild = command
                      ->add_flag("--rebuild-index", options->rebuild_index,
                                 "make missing rows of the index again")
                      ->excludes(ledger);
  command->add_flag("--verify", options->verify, "read and hash every byte that is stored")
      ->needs(rebuild);
  command->callback([options, &global] { fsck(*options, global); });
  declare_purge(app, global);
  declare_audit(app, global);
  declare_rotate_secrets(app, global);
}

}  // namespace mendel::cli
