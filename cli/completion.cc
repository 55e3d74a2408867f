#include <fmt/core.h>

#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/completion_script.h"

namespace mendel::cli {

namespace {

CLI::App& root_of(CLI::App& app) {
  return app.get_parent() ? root_of(*app.get_parent()) : app;
}

}  // namespace

void declare_completion(CLI::App& app, const GlobalOptions&) {
  app.footer(R"(
Examples:
  source <(mendel completion bash)
  mendel completion zsh > "${fpath[1]}/_mendel"
  mendel completion fish > ~/.config/fish/completions/mendel.fish)");
  auto shell = std::make_shared<std::string>();
  app.add_option("SHELL", *shell)
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  app.callback(
      [shell, &app] { fmt::print("{}", completion_script(*shell, root_of(app))); });
}

}  // namespace mendel::cli
