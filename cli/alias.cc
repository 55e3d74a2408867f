#include <fmt/core.h>

#include <CLI/CLI.hpp>

#include "cli/api_path.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/resolve.h"

namespace mendel::cli {

namespace {

struct AliasOptions {
  std::string alias;  // ns/name@alias
  std::string version;
  std::string reason;
};

struct AliasTarget {
  ArtifactName artifact;
  AliasName alias;
};

AliasTarget parse_target(const std::string& text) {
  const Reference reference = Reference::parse(text);
  const auto* alias = std::get_if<AliasName>(&reference.version.value());
  if (!alias) {
    throw Error(ErrorCode::invalid_argument,
                "'" + text + "' names no alias: write namespace/name@alias");
  }
  return {reference.artifact, *alias};
}

// "lhcb/x:17", or ":17", "17" and "@staging" of the alias's own artifact.
Reference parse_version_of(const ArtifactName& artifact, const std::string& text) {
  if (text.find('/') != text.npos) return Reference::parse(text);
  const bool prefixed = text.starts_with(':') || text.starts_with('@');
  return {artifact, VersionRef::parse(prefixed ? text.substr(1) : text)};
}

void set(const AliasOptions& options, const GlobalOptions& global) {
  const AliasTarget target = parse_target(options.alias);
  const Reference reference = parse_version_of(target.artifact, options.version);
  if (reference.artifact.folded() != target.artifact.folded()) {
    throw Error(ErrorCode::invalid_argument,
                "an alias points at a version of its own artifact");
  }
  ApiClient server = connect(global);
  const ResolvedVersion version = get_version(server, reference);
  Json body = {{"version", version.number}};
  if (!options.reason.empty()) body["reason"] = options.reason;
  const Json moved =
      server.put(alias_path(version.kind, version.artifact, target.alias), body);

  if (global.json) return print_json(moved);
  const std::string before = text_of(moved, "previous");
  fmt::print("{}@{} is {}{}\n", version.artifact.text(), target.alias.text(),
             version.number, before.empty() ? "" : ", and was " + before);
}

void list(const std::string& name, const GlobalOptions& global) {
  const ArtifactName artifact = ArtifactName::parse(name);
  ApiClient server = connect(global);
  const auto kind = get_kind(server, artifact);
  const Json found = server.get(artifact_path(kind, artifact));
  std::vector<Json> aliases;
  Table table({"ALIAS", "VERSION"});
  for (const auto& [alias, version] : found.at("aliases").items()) {
    aliases.push_back({{"alias", alias}, {"version", version}});
    table.add({alias, version.dump()});
  }
  if (global.json) return print_json_items(aliases);
  table.print();
}

void log(const std::string& text, const GlobalOptions& global) {
  const AliasTarget target = parse_target(text);
  ApiClient server = connect(global);
  const auto kind = get_kind(server, target.artifact);
  const auto moves =
      server.get_all(alias_path(kind, target.artifact, target.alias) + "/history");
  if (global.json) return print_json_items(moves);
  Table table({"MOVED", "VERSION", "BEFORE", "BY", "REASON"});
  for (const Json& move : moves) {
    table.add({text_of(move, "moved_at"), text_of(move, "version"),
               text_of(move, "previous"), text_of(move, "moved_by"),
               text_of(move, "reason")});
  }
  table.print();
}

void remove(const AliasOptions& options, const GlobalOptions& global) {
  const AliasTarget target = parse_target(options.alias);
  ApiClient server = connect(global);
  const auto kind = get_kind(server, target.artifact);
  const Json body = options.reason.empty() ? Json() : Json{{"reason", options.reason}};
  server.remove(alias_path(kind, target.artifact, target.alias), body);
  if (global.json) return print_json(Json::object());
  fmt::print("{}@{} is removed\n", target.artifact.text(), target.alias.text());
}

void declare_set(CLI::App& app, const GlobalOptions& global) {
  CLI::App* command = app.add_subcommand("set", "point an alias at a version");
  auto options = std::make_shared<AliasOptions>();
  command->add_option("ALIAS", options->alias, "namespace/name@alias")->required();
  command
      ->add_option("REF", options->version,
                   "a version of the same artifact: 17, @staging, …")
      ->required();
  command->add_option("--reason", options->reason, "kept in its history")
      ->type_name("TEXT");
  command->callback([options, &global] { set(*options, global); });
}

void declare_remove(CLI::App& app, const GlobalOptions& global) {
  CLI::App* command = app.add_subcommand("remove", "remove an alias; its history stays");
  auto options = std::make_shared<AliasOptions>();
  command->add_option("ALIAS", options->alias, "namespace/name@alias")->required();
  command->add_option("--reason", options->reason, "kept in its history")
      ->type_name("TEXT");
  command->callback([options, &global] { remove(*options, global); });
}

void declare_list_and_log(CLI::App& app, const GlobalOptions& global) {
  CLI::App* list_command = app.add_subcommand("list", "the aliases of an artifact");
  auto name = std::make_shared<std::string>();
  list_command->add_option("NAME", *name, "an artifact: namespace/name")->required();
  list_command->callback([name, &global] { list(*name, global); });

  CLI::App* log_command = app.add_subcommand("log", "every move of an alias, newest first");
  auto alias = std::make_shared<std::string>();
  log_command->add_option("ALIAS", *alias, "namespace/name@alias")->required();
  log_command->callback([alias, &global] { log(*alias, global); });
}

}  // namespace

void declare_alias(CLI::App& app, const GlobalOptions& global) {
  app.require_subcommand(1);
  app.footer(R"(
Examples:
  mendel alias set lhcb/lamarr-trk@production lhcb/lamarr-trk:17 --reason "validated on 2016MU"
  mendel alias log lhcb/lamarr-trk@production)");
  declare_set(app, global);
  declare_list_and_log(app, global);
  declare_remove(app, global);
}

}  // namespace mendel::cli
