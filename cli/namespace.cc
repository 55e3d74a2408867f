#include <fmt/core.h>

#include <CLI/CLI.hpp>

#include "cli/api_client.h"
#include "cli/api_path.h"
#include "cli/command.h"
#include "cli/output.h"

namespace mendel::cli {

namespace {

struct NewNamespace {
  std::string name;
  std::string visibility;
  std::string description;
};

struct Membership {
  std::string ns;
  std::string principal;
  std::string role;
};

std::string member_path(const Membership& membership) {
  return namespace_path(Name::parse("a namespace", membership.ns)) + "/members/" +
         Name::parse("a principal", membership.principal).text();
}

void create(const NewNamespace& wanted, const GlobalOptions& global) {
  const Name name = Name::parse("a namespace", wanted.name);
  Json body = {{"visibility", wanted.visibility}};
  if (!wanted.description.empty()) body["description"] = wanted.description;
  const Json made = connect(global).put(namespace_path(name), body);
  if (global.json) return print_json(made);
  fmt::print("{} is a {} namespace\n", name.text(), wanted.visibility);
}

void list(const GlobalOptions& global) {
  const auto items = connect(global).get_all("/api/v1/namespaces");
  if (global.json) return print_json_items(items);
  Table table({"NAMESPACE", "VISIBILITY", "DESCRIPTION"});
  for (const Json& item : items) {
    table.add(
        {text_of(item, "name"), text_of(item, "visibility"), text_of(item, "description")});
  }
  table.print();
}

void members(const std::string& ns, const GlobalOptions& global) {
  const Name name = Name::parse("a namespace", ns);
  const auto items = connect(global).get_all(namespace_path(name) + "/members");
  if (global.json) return print_json_items(items);
  Table table({"PRINCIPAL", "ROLE"});
  for (const Json& item : items)
    table.add({text_of(item, "principal"), text_of(item, "role")});
  table.print();
}

void grant(const Membership& membership, const GlobalOptions& global) {
  const std::string path = member_path(membership);
  const Json granted = connect(global).put(path, {{"role", membership.role}});
  if (global.json) return print_json(granted);
  fmt::print("{} is {} of {}\n", membership.principal, membership.role, membership.ns);
}

void revoke(const Membership& membership, const GlobalOptions& global) {
  connect(global).remove(member_path(membership), nullptr);
  if (global.json) return print_json(Json::object());
  fmt::print("{} has no role in {}\n", membership.principal, membership.ns);
}

void declare_create(CLI::App& app, const GlobalOptions& global) {
  CLI::App* command =
      app.add_subcommand("create", "make a namespace, or change how it is seen");
  auto wanted = std::make_shared<NewNamespace>();
  wanted->visibility = "private";
  command->add_option("NAME", wanted->name, "its name")->required();
  command
      ->add_option("--visibility", wanted->visibility,
                   "who may read: members, whoever has a token, everybody")
      ->check(CLI::IsMember({"private", "internal", "public"}))
      ->capture_default_str();
  command->add_option("--description", wanted->description, "what it is for")
      ->type_name("TEXT");
  command->callback([wanted, &global] { create(*wanted, global); });
}

void declare_members(CLI::App& app, const GlobalOptions& global) {
  CLI::App* command = app.add_subcommand("members", "who holds which role");
  auto ns = std::make_shared<std::string>();
  command->add_option("NAMESPACE", *ns)->required();
  command->callback([ns, &global] { members(*ns, global); });
}

void declare_grant(CLI::App& app, const GlobalOptions& global) {
  CLI::App* command = app.add_subcommand("grant", "give a principal a role");
  auto membership = std::make_shared<Membership>();
  command->add_option("NAMESPACE", membership->ns)->required();
  command->add_option("PRINCIPAL", membership->principal)->required();
  command->add_option("ROLE", membership->role)
      ->required()
      ->check(CLI::IsMember({"reader", "writer", "maintainer", "owner"}));
  command->callback([membership, &global] { grant(*membership, global); });
}

void declare_revoke(CLI::App& app, const GlobalOptions& global) {
  CLI::App* command = app.add_subcommand("revoke", "take a principal's role away");
  auto membership = std::make_shared<Membership>();
  command->add_option("NAMESPACE", membership->ns)->required();
  command->add_option("PRINCIPAL", membership->principal)->required();
  command->callback([membership, &global] { revoke(*membership, global); });
}

}  // namespace

void declare_namespace(CLI::App& app, const GlobalOptions& global) {
  app.require_subcommand(1);
  app.footer(R"(
Examples:
  mendel namespace create lhcb --description "LHCb simulation"
  mendel namespace grant lhcb lamarr-ci writer)");
  declare_create(app, global);
  app.add_subcommand("list", "the namespaces that you may see")->callback([&global] {
    list(global);
  });
  declare_members(app, global);
  declare_grant(app, global);
  declare_revoke(app, global);
}

}  // namespace mendel::cli
