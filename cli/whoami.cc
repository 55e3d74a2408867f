#include <fmt/core.h>

#include <CLI/CLI.hpp>

#include "cli/api_client.h"
#include "cli/command.h"
#include "cli/output.h"

namespace mendel::cli {

namespace {

void whoami(const GlobalOptions& global) {
  ApiClient server = connect(global);
  const Json me = server.get("/api/v1/whoami");
  if (global.json) return print_json(me);

  fmt::print("{} on {}\n", printable(text_of(me, "principal")), server.access().url);
  fmt::print("scopes: {}\n", printable(joined(me, "scopes")));
  Table namespaces({"NAMESPACE", "ROLE"});
  const Json roles = me.value("namespaces", Json::object());
  for (const auto& [name, role] : roles.items()) {
    namespaces.add({name, role.get<std::string>()});
  }
  namespaces.print();
}

}  // namespace

void declare_whoami(CLI::App& app, const GlobalOptions& global) {
  app.callback([&global] { whoami(global); });
}

}  // namespace mendel::cli
