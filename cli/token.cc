#include <fmt/core.h>

#include <CLI/CLI.hpp>

#include "cli/api_client.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/repeated_option.h"

namespace mendel::cli {

namespace {

struct NewToken {
  std::string name;
  std::string principal;
  std::string ns;
  std::vector<std::string> scopes;
  int expires_in_days = 0;
};

void create(const NewToken& wanted, const GlobalOptions& global) {
  Json body = {{"name", wanted.name}};
  if (!wanted.scopes.empty()) body["scopes"] = wanted.scopes;
  if (!wanted.principal.empty()) body["principal"] = wanted.principal;
  if (!wanted.ns.empty()) body["namespace"] = wanted.ns;
  if (wanted.expires_in_days) body["expires_in_days"] = wanted.expires_in_days;

  const Json made = connect(global).post("/api/v1/tokens", body);
  if (global.json) return print_json(made);
  fmt::print("{}\n", text_of(made, "secret"));
  fmt::print(stderr, "This is shown once. It belongs to {} and expires {}.\n",
             text_of(made, "principal"),
             made.contains("expires_at") ? text_of(made, "expires_at") : "never");
}

void list(const GlobalOptions& global) {
  const auto items = connect(global).get_all("/api/v1/tokens");
  if (global.json) return print_json_items(items);
  Table table({"ID", "NAME", "PRINCIPAL", "SCOPES", "NAMESPACE", "EXPIRES"});
  for (const Json& item : items) {
    table.add({text_of(item, "id"), text_of(item, "name"), text_of(item, "principal"),
               joined(item, "scopes"), text_of(item, "namespace"),
               text_of(item, "expires_at")});
  }
  table.print();
}

void revoke(const std::string& id, const GlobalOptions& global) {
  connect(global).remove("/api/v1/tokens/" + percent_encode(id), nullptr);
  if (global.json) return print_json(Json::object());
  fmt::print("{} is revoked\n", id);
}

void declare_create(CLI::App& app, const GlobalOptions& global) {
  CLI::App* command =
      app.add_subcommand("create", "make a token; its secret is shown once");
  auto wanted = std::make_shared<NewToken>();
  command->add_option("--name", wanted->name, "what it is for")
      ->required()
      ->type_name("TEXT");
  command->add_option("--principal", wanted->principal, "whose it is; you, otherwise")
      ->type_name("NAME");
  command->add_option("--namespace", wanted->ns, "the only namespace that it reaches")
      ->type_name("NAME");
  add_repeated(*command, "--scope", wanted->scopes,
               "read, write, admin, kpi, agent; may be repeated")
      ->check(CLI::IsMember({"read", "write", "admin", "kpi", "agent"}))
      ->type_name("SCOPE");
  command->add_option("--expires-in-days", wanted->expires_in_days, "90, otherwise")
      ->check(CLI::PositiveNumber)
      ->type_name("DAYS");
  command->callback([wanted, &global] { create(*wanted, global); });
}

void declare_revoke(CLI::App& app, const GlobalOptions& global) {
  CLI::App* command = app.add_subcommand("revoke", "end a token");
  auto id = std::make_shared<std::string>();
  command->add_option("ID", *id, "as 'mendel token list' shows it")->required();
  command->callback([id, &global] { revoke(*id, global); });
}

}  // namespace

void declare_token(CLI::App& app, const GlobalOptions& global) {
  app.require_subcommand(1);
  app.footer(R"(
A token can do what its principal's role and its own scopes both allow.

Example:
  mendel token create --principal lamarr-ci --name gitlab --scope read --scope write \
         --namespace lhcb --expires-in-days 365 > token.txt)");
  declare_create(app, global);
  app.add_subcommand("list", "the tokens that you may see")->callback([&global] {
    list(global);
  });
  declare_revoke(app, global);
}

}  // namespace mendel::cli
