#include <fmt/core.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdlib>

#include "cli/command.h"
#include "cli/output.h"
#include "cli/pedigree_pages.h"
#include "cli/pedigree_text.h"
#include "cli/resolve.h"

namespace mendel::cli {

namespace {

struct PedigreeCommand {
  std::string reference;
  bool down = false;
  std::optional<int> depth;
  std::string format = "tree";
};

// A terminal is asked for more than ASCII only where its locale says that it can.
bool draws_unicode() {
  if (isatty(STDOUT_FILENO) == 0) return false;
  for (const char* const name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* const value = std::getenv(name);
    if (value == nullptr || *value == '\0') continue;
    const std::string locale(value);
    return locale.find("UTF-8") != locale.npos || locale.find("utf8") != locale.npos;
  }
  return false;
}

void pedigree(const PedigreeCommand& command, const GlobalOptions& global) {
  const Reference reference = Reference::parse(command.reference);
  ApiClient server = connect(global);
  const ResolvedVersion version = get_version(server, reference);
  const PedigreeDocument found =
      get_pedigree(server, version, command.down ? "down" : "up", command.depth);
  const Json pedigree = {
      {"nodes", found.nodes}, {"edges", found.edges}, {"hidden", found.hidden}};

  if (global.json || command.format == "json") return print_json(pedigree);
  if (command.format == "dot") return fmt::print("{}", pedigree_dot(pedigree));
  const auto direction = command.down ? PedigreeDirection::down : PedigreeDirection::up;
  fmt::print("{}", pedigree_tree(pedigree, direction,
                                 draws_unicode() ? kUnicodeGlyphs : kAsciiGlyphs));
}

}  // namespace

void declare_pedigree(CLI::App& app, const GlobalOptions& global) {
  app.footer(R"(
Each line says in which role something was used, what it is, which aliases point at it
now, and the commit and the run that made it. What lies outside of the registry is marked
external, and unverifiable where nobody noted a digest. What was shown above is not
repeated.

With --down: what was made from it, in which roles, and what from that.

Examples:
  mendel pedigree lhcb/lamarr-trk@production
  mendel pedigree lhcb/calib-2016:3 --down     which models this dataset reached
  mendel pedigree lhcb/lamarr:4 --depth 2 --format dot | dot -Tsvg > pedigree.svg)");
  auto command = std::make_shared<PedigreeCommand>();
  app.add_option("REF", command->reference, "a version")->required();
  app.add_flag("--down", command->down, "what it reached, instead of what made it");
  app.add_option("--depth", command->depth, "no further than so many steps")
      ->check(CLI::Range(0, 1'000'000))
      ->type_name("N");
  app.add_option("--format", command->format, "tree, json, or dot for Graphviz")
      ->check(CLI::IsMember({"tree", "json", "dot"}))
      ->type_name("FORMAT");
  app.callback([command, &global] { pedigree(*command, global); });
}

}  // namespace mendel::cli
