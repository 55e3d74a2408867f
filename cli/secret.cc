#include <fmt/core.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>
#include <iterator>

#include "cli/admin.h"
#include "cli/api_client.h"
#include "cli/api_path.h"
#include "cli/command.h"
#include "cli/hidden_input.h"
#include "cli/output.h"

namespace mendel::cli {

namespace {

std::string secrets_path(const std::string& ns) {
  return namespace_path(Name::parse("a namespace", ns)) + "/secrets";
}

// "lhcb/eos-password".
struct SecretName {
  std::string ns;
  std::string name;

  static SecretName parse(const std::string& text) {
    const auto slash = text.find('/');
    if (slash == std::string::npos)
      throw Error(ErrorCode::invalid_argument, "a secret is written NAMESPACE/NAME");
    return {text.substr(0, slash), Name::parse("a secret", text.substr(slash + 1)).text()};
  }
  std::string path() const { return secrets_path(ns) + "/" + name; }
};

std::string read_all(std::istream& stream) {
  return std::string(std::istreambuf_iterator<char>(stream), {});
}

// Without the line feed that editors and echo put at the end.
std::string read_value(const SecretName& name, const std::string& file) {
  std::string value;
  if (file.empty() && ::isatty(STDIN_FILENO)) {
    fmt::print(stderr, "Value of {}: ", name.name);
    const HiddenInput hidden;
    std::getline(std::cin, value);
    fmt::print(stderr, "\n");
    return value;
  }
  if (file.empty() || file == "-") {
    value = read_all(std::cin);
  } else {
    std::ifstream stream(file, std::ios::binary);
    value = read_all(stream);
    if (!stream.is_open()) throw Error(ErrorCode::not_found, "cannot read " + file);
  }
  if (value.ends_with('\n')) value.pop_back();
  return value;
}

void set(const std::string& text, const std::string& file, const GlobalOptions& global) {
  const auto name = SecretName::parse(text);
  const Json answer = connect(global).put(name.path(), {{"value", read_value(name, file)}});
  if (global.json) return print_json(answer);
  fmt::print("{} is kept\n", text);
}

void list(const std::string& ns, const GlobalOptions& global) {
  const auto items = connect(global).get_all(secrets_path(ns));
  if (global.json) return print_json_items(items);
  Table table({"NAME", "CHANGED", "BY"});
  for (const Json& item : items) {
    table.add(
        {text_of(item, "name"), text_of(item, "updated_at"), text_of(item, "updated_by")});
  }
  table.print();
}

void remove(const std::string& text, const GlobalOptions& global) {
  connect(global).remove(SecretName::parse(text).path(), nullptr);
  if (global.json) return print_json(Json::object());
  fmt::print("{} is forgotten\n", text);
}

void rotate(const GlobalOptions& global) {
  const Json answer = connect(global).post("/api/v1/admin/rotate-secrets", Json::object());
  if (global.json) return print_json(answer);
  fmt::print("{} secrets are encrypted with the key {} now\n",
             answer.at("rotated").get<std::uint64_t>(), text_of(answer, "key"));
}

}  // namespace

void declare_secret(CLI::App& app, const GlobalOptions& global) {
  app.require_subcommand(1);
  app.footer(R"(
A pipeline names the secrets that its jobs need; only their agents get them, in the
environment of the command. Nobody reads one back. It comes from standard input, from --file
or from the prompt, never from the command line, which others on the machine can see.

Example:
  mendel secret set lhcb/eos-password < password.txt)");

  CLI::App* setting = app.add_subcommand("set", "keep a secret, or change it");
  auto name = std::make_shared<std::string>();
  auto file = std::make_shared<std::string>();
  setting->add_option("SECRET", *name, "as NAMESPACE/NAME")->required();
  setting->add_option("--file", *file, "where its value is; - is standard input")
      ->type_name("FILE");
  setting->callback([name, file, &global] { set(*name, *file, global); });

  CLI::App* listing = app.add_subcommand("list", "the secrets of a namespace, by name");
  auto ns = std::make_shared<std::string>();
  listing->add_option("NAMESPACE", *ns, "whose secrets")->required();
  listing->callback([ns, &global] { list(*ns, global); });

  CLI::App* removing = app.add_subcommand("delete", "forget a secret");
  auto removed = std::make_shared<std::string>();
  removing->add_option("SECRET", *removed, "as NAMESPACE/NAME")->required();
  removing->callback([removed, &global] { remove(*removed, global); });
}

void declare_rotate_secrets(CLI::App& admin, const GlobalOptions& global) {
  CLI::App* command = admin.add_subcommand(
      "rotate-secrets", "encrypt all secrets with the newest key of the server");
  command->footer(R"(
The keys are the lines of DATA/secret-key on the server, the newest first. To change it, put
the line of a new key before the others, restart every server that has the file, run this,
and then remove the old lines.

Example:
  { openssl rand -base64 32; cat data/secret-key; } > new && mv new data/secret-key)");
  command->callback([&global] { rotate(global); });
}

}  // namespace mendel::cli
