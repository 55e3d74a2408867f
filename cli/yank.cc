#include <fmt/core.h>

#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/output.h"
#include "cli/resolve.h"

namespace mendel::cli {

namespace {

struct YankOptions {
  std::string reference;
  std::string reason;
  bool force = false;
};

void yank(const YankOptions& options, const GlobalOptions& global) {
  const Reference reference = Reference::parse(options.reference);
  ApiClient server = connect(global);
  const ResolvedVersion version = get_version(server, reference);
  Json body = {{"reason", options.reason}};
  if (options.force) body["force"] = true;
  const Json yanked = server.post(version.path() + "/yank", body);
  if (global.json) return print_json(yanked);
  fmt::print("{} is yanked: {}\n", version.reference(), options.reason);
}

void restore(const YankOptions& options, const GlobalOptions& global) {
  const Reference reference = Reference::parse(options.reference);
  ApiClient server = connect(global);
  const ResolvedVersion version = get_version(server, reference);
  const Json body =
      options.reason.empty() ? Json::object() : Json{{"reason", options.reason}};
  const Json restored = server.post(version.path() + "/restore", body);
  if (global.json) return print_json(restored);
  fmt::print("{} is active again\n", version.reference());
}

void remove(const YankOptions& options, const GlobalOptions& global) {
  const Reference reference = Reference::parse(options.reference);
  ApiClient server = connect(global);
  const ResolvedVersion version = get_version(server, reference);
  server.remove(version.path(), {{"reason", options.reason}});
  if (global.json) return print_json(Json::object());
  fmt::print("{} is deleted\n", version.reference());
}

}  // namespace

void declare_yank(CLI::App& app, const GlobalOptions& global) {
  app.footer(R"(
Its number and digest still resolve, with a warning; 'latest' passes over it.

Example:
  mendel yank lhcb/lamarr-trk:17 --reason "wrong calibration")");
  auto options = std::make_shared<YankOptions>();
  app.add_option("REF", options->reference, "a version")->required();
  app.add_option("--reason", options->reason, "why")->required()->type_name("TEXT");
  app.add_flag("--force", options->force, "even while an alias points at it");
  app.callback([options, &global] { yank(*options, global); });
}

void declare_restore(CLI::App& app, const GlobalOptions& global) {
  app.footer(R"(
Example:
  mendel restore lhcb/lamarr-trk:17 --reason "the calibration was right")");
  auto options = std::make_shared<YankOptions>();
  app.add_option("REF", options->reference, "a yanked version")->required();
  app.add_option("--reason", options->reason, "why")->type_name("TEXT");
  app.callback([options, &global] { restore(*options, global); });
}

void declare_delete(CLI::App& app, const GlobalOptions& global) {
  app.footer(R"(
Refused while something that is alive needs it; the answer says what.

Example:
  mendel delete lhcb/lamarr-trk:17 --reason "was pushed by mistake")");
  auto options = std::make_shared<YankOptions>();
  app.add_option("REF", options->reference, "a version")->required();
  app.add_option("--reason", options->reason, "why")->required()->type_name("TEXT");
  app.callback([options, &global] { remove(*options, global); });
}

}  // namespace mendel::cli
