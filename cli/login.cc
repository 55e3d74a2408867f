#include <fmt/core.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>

#include "cli/api_client.h"
#include "cli/command.h"
#include "cli/hidden_input.h"
#include "cli/output.h"

namespace mendel::cli {

namespace {

std::string ask_for_token(const std::string& url) {
  if (!::isatty(STDIN_FILENO)) return read_token("-");
  fmt::print(stderr, "Token for {}: ", url);
  const HiddenInput hidden;
  const std::string token = read_token("-");
  fmt::print(stderr, "\n");
  return token;
}

void login(const std::string& url, const GlobalOptions& global) {
  const std::string server_url = parse_server_url(url);
  require_private_channel(server_url, global.plain_http);
  const std::string token =
      global.token_file.empty() ? ask_for_token(server_url) : read_token(global.token_file);

  ApiClient server({server_url, token, resolve_trust(global.ca_file)});
  const Json me = server.get("/api/v1/whoami");
  save_login(login_file(), {server_url, token, global.plain_http});

  if (global.json) return print_json(me);
  fmt::print("Logged in to {} as {}.\n", server_url, text_of(me, "principal"));
}

}  // namespace

void declare_login(CLI::App& app, const GlobalOptions& global) {
  app.footer(R"(
The token comes from --token-file, from standard input, or from the prompt, which does not
show it. The server is asked whether it knows the token; then both are kept in
~/.config/mendel/config.json, readable by you alone.

Examples:
  mendel login https://mendel.example.org
  mendel login http://127.0.0.1:8230 --token-file data/admin-token)");
  auto url = std::make_shared<std::string>();
  app.add_option("URL", *url, "the server")->required();
  app.callback([url, &global] { login(*url, global); });
}

}  // namespace mendel::cli
