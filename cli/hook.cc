#include <fmt/core.h>

#include <CLI/CLI.hpp>

#include "cli/api_client.h"
#include "cli/command.h"
#include "cli/output.h"

namespace mendel::cli {

namespace {

struct NewHook {
  std::string ns;
  std::string kind;
  std::string repository;
  std::string secret_file;
};

std::string hook_path(const std::string& id) {
  return "/api/v1/hooks/" + percent_encode(id);
}

void create(const NewHook& wanted, const GlobalOptions& global) {
  Json body{
      {"namespace", wanted.ns}, {"kind", wanted.kind}, {"repository", wanted.repository}};
  if (!wanted.secret_file.empty()) body["secret"] = read_token(wanted.secret_file);
  ApiClient server = connect(global);
  Json made = server.post("/api/v1/hooks", body);
  made["url"] = server.access().url + text_of(made, "url");
  if (global.json) return print_json(made);
  fmt::print("URL     {}\n", text_of(made, "url"));
  fmt::print("Secret  {}\n", text_of(made, "secret"));
  fmt::print(stderr, "The secret is shown once. Give both to the host of {}.\n",
             printable(wanted.repository));
}

void list(const std::string& ns, const GlobalOptions& global) {
  const auto items =
      connect(global).get_all("/api/v1/hooks?namespace=" + percent_encode(ns));
  if (global.json) return print_json_items(items);
  Table table({"ID", "KIND", "REPOSITORY", "CREATED", "BY"});
  for (const Json& item : items) {
    table.add({text_of(item, "id"), text_of(item, "kind"),
               printable(text_of(item, "repository")), text_of(item, "created_at"),
               text_of(item, "created_by")});
  }
  table.print();
}

void show(const std::string& id, const GlobalOptions& global) {
  ApiClient server = connect(global);
  const Json hook = server.get(hook_path(id));
  if (global.json) return print_json(hook);
  fmt::print("{}, for {}\n{}{}\n\n", text_of(hook, "kind"),
             printable(text_of(hook, "repository")), server.access().url,
             text_of(hook, "url"));
  Table table({"RECEIVED", "DELIVERY", "WHAT CAME OF IT"});
  for (const Json& delivery : hook.at("deliveries")) {
    table.add({text_of(delivery, "received_at"), printable(text_of(delivery, "delivery")),
               printable(delivery.contains("event")
                             ? "event " + text_of(delivery, "event") + ": " +
                                   text_of(delivery, "ref")
                             : "ignored: " + text_of(delivery, "ignored"))});
  }
  table.print();
}

void remove(const std::string& id, const GlobalOptions& global) {
  connect(global).remove(hook_path(id), nullptr);
  if (global.json) return print_json(Json::object());
  fmt::print("{} is removed\n", id);
}

void declare_create(CLI::App& app, const GlobalOptions& global) {
  CLI::App* command = app.add_subcommand("create", "make a hook; its secret is shown once");
  auto wanted = std::make_shared<NewHook>();
  command->add_option("NAMESPACE", wanted->ns, "whose triggers hear of pushes")->required();
  command->add_option("--kind", wanted->kind, "gitlab, github, gitea or generic")
      ->required()
      ->check(CLI::IsMember({"gitlab", "github", "gitea", "generic"}))
      ->type_name("KIND");
  command->add_option("--repository", wanted->repository, "the address of the repository")
      ->required()
      ->type_name("URL");
  command
      ->add_option("--secret-file", wanted->secret_file,
                   "a secret of your own; - is standard input")
      ->type_name("FILE");
  command->callback([wanted, &global] { create(*wanted, global); });
}

}  // namespace

void declare_hook(CLI::App& app, const GlobalOptions& global) {
  app.require_subcommand(1);
  app.footer(R"(
Triggers of the hook's namespace hear of the pushes that it tells of. Repositories that have
no hook are looked at once a minute instead.

  gitlab    Settings, Webhooks: the URL, the secret as secret token; push and tag push events
  github    Settings, Webhooks: the URL, application/json, the secret; only push events
  gitea     Settings, Webhooks, Gitea: the URL, application/json, the secret; push events
  generic   any git server: ci/hooks/post-receive of Mendel as a hook in the repository

Example:
  mendel hook create lhcb --kind gitlab --repository https://git.example.org/lhcb/train.git)");
  declare_create(app, global);

  CLI::App* listing = app.add_subcommand("list", "the hooks of a namespace");
  auto ns = std::make_shared<std::string>();
  listing->add_option("NAMESPACE", *ns, "whose hooks")->required();
  listing->callback([ns, &global] { list(*ns, global); });

  CLI::App* showing = app.add_subcommand("show", "a hook, and what came to it of late");
  auto shown = std::make_shared<std::string>();
  showing->add_option("ID", *shown, "as 'mendel hook list' shows it")->required();
  showing->callback([shown, &global] { show(*shown, global); });

  CLI::App* removing = app.add_subcommand("delete", "remove a hook");
  auto removed = std::make_shared<std::string>();
  removing->add_option("ID", *removed, "as 'mendel hook list' shows it")->required();
  removing->callback([removed, &global] { remove(*removed, global); });
}

}  // namespace mendel::cli
