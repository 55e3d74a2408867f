#include <fmt/core.h>

#include <CLI/CLI.hpp>

#include "cli/api_client.h"
#include "cli/command.h"
#include "cli/output.h"
#include "storage/base/reference.h"

namespace mendel::cli {

namespace {

struct NewPrincipal {
  std::string name;
  std::string kind = "person";
  std::string display_name;
};

void create(const NewPrincipal& wanted, const GlobalOptions& global) {
  const Name name = Name::parse("a principal", wanted.name);
  Json body = {{"kind", wanted.kind}};
  if (!wanted.display_name.empty()) body["display_name"] = wanted.display_name;
  const Json made = connect(global).put("/api/v1/principals/" + name.text(), body);
  if (global.json) return print_json(made);
  fmt::print("{} is a {}\n", name.text(), wanted.kind);
}

}  // namespace

void declare_principal(CLI::App& app, const GlobalOptions& global) {
  app.require_subcommand(1);
  app.footer(R"(
Examples:
  mendel principal create lamarr-ci --kind service --display-name "Lamarr CI"
  mendel namespace grant lhcb lamarr-ci writer
  mendel token create --principal lamarr-ci --name gitlab --scope read --scope write)");
  CLI::App* command =
      app.add_subcommand("create", "make a principal (administrators only)");
  auto wanted = std::make_shared<NewPrincipal>();
  command->add_option("NAME", wanted->name)->required();
  command->add_option("--kind", wanted->kind)
      ->check(CLI::IsMember({"person", "service"}))
      ->capture_default_str();
  command->add_option("--display-name", wanted->display_name)->type_name("TEXT");
  command->callback([wanted, &global] { create(*wanted, global); });
}

}  // namespace mendel::cli
