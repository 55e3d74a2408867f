#include <fmt/core.h>

#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/evaluations.h"
#include "cli/output.h"
#include "cli/resolve.h"
#include "cli/version_diff.h"

namespace mendel::cli {

namespace {

constexpr std::size_t kLeavesShownMax = 12;
constexpr std::size_t kEvaluationsShownMax = 5;

void print_line(std::string_view label, std::string_view value) {
  if (!value.empty()) fmt::print("{:<16}{}\n", label, printable(value));
}

// One line per member, below the label.
void print_object(std::string_view label, const Json& document, std::string_view member) {
  const auto object = document.find(member);
  if (object == document.end() || !object->is_object()) return;
  for (const auto& [name, value] : object->items()) {
    print_line(label, name + " = " + text_of(*object, name));
    label = "";
  }
}

// The digest, and the first of them.
void print_hyperparameters(const Json& document) {
  const auto found = document.find("hyperparameters");
  if (found == document.end()) return;
  const auto leaves = leaves_of(found->value("value", Json::object()));
  print_line("hyperparameters", text_of(*found, "digest"));
  for (std::size_t i = 0; i < leaves.size() && i < kLeavesShownMax; ++i) {
    const Json& value = leaves[i].second;
    print_line("", leaves[i].first + " = " +
                       (value.is_string() ? value.get<std::string>() : value.dump()));
  }
  if (leaves.size() > kLeavesShownMax) {
    print_line("",
               fmt::format("and {} more: --json has all", leaves.size() - kLeavesShownMax));
  }
}

// "dirty" stands out: what was trained is not what the commit has.
void print_source(const Json& document) {
  const Json source = document.value("source", Json::object());
  if (source.empty()) return;
  std::string commit = text_of(source, "commit");
  if (source.value("dirty", false)) {
    commit += " (dirty";
    if (source.contains("patch_size")) {
      commit += ", patch of " + format_size(source["patch_size"].get<std::uint64_t>());
    }
    commit += ")";
  }
  print_line("commit", commit);
  print_line("branch", text_of(source, "branch"));
  print_line("tags", joined(source, "tags"));
  print_line("repository", text_of(source, "repository"));
  const std::string author = text_of(source, "author");
  print_line("author",
             author + (author.empty() ? "" : " ") + text_of(source, "authored_at"));
  print_line("ci job", text_of(source.value("ci", Json::object()), "job_url"));
  const std::size_t untracked = source.value("untracked", Json::array()).size() +
                                source.value("untracked_omitted", std::size_t{0});
  if (untracked > 0) {
    print_line("untracked", fmt::format("{} files that were not taken along", untracked));
  }
}

std::string describe_input(const Json& input) {
  const std::string name = text_of(input, "name");
  std::string text = (name.empty() ? "" : name + " = ") +
                     text_of(input, input.contains("ref") ? "ref" : "uri");
  if (input.contains("ref")) return text;
  return text + (input.contains("digest") ? " (external, " + text_of(input, "digest") + ")"
                                          : " (external, unverifiable)");
}

void print_inputs(const Json& document) {
  for (const Json& input : document.value("inputs", Json::array())) {
    print_line(text_of(input, "role"), describe_input(input));
  }
  const auto hidden = document.value("hidden_inputs", 0);
  if (hidden > 0) print_line("inputs", fmt::format("{} that you may not read", hidden));
  for (const Json& component : document.value("components", Json::array())) {
    print_line("component", text_of(component, "name") + " = " + text_of(component, "ref"));
  }
}

void print_evaluations(const Json& evaluations) {
  std::string_view label = "evaluations";
  for (std::size_t i = 0; i < evaluations.size() && i < kEvaluationsShownMax; ++i) {
    const Json& evaluation = evaluations[i];
    std::string line = text_of(evaluation, "measured_at");
    const std::string dataset = text_of(evaluation.value("dataset", Json::object()), "ref");
    if (!dataset.empty()) line += " on " + dataset;
    const Json metrics = evaluation.value("metrics", Json::object());
    for (const auto& [name, value] : metrics.items()) {
      line += " " + name + "=" + text_of(metrics, name);
    }
    print_line(label, line);
    label = "";
  }
  if (evaluations.size() > kEvaluationsShownMax) {
    print_line("", fmt::format("and {} older: --json has all",
                               evaluations.size() - kEvaluationsShownMax));
  }
}

void print_downloads(const Json& downloads) {
  const auto count = downloads.value("downloads", std::int64_t{0});
  if (count == 0) return;
  const std::string newest = text_of(downloads["days"].front(), "date");
  print_line("downloads", fmt::format("{}, last on {}", count, newest));
}

void print_version(const ResolvedVersion& version, const Json& evaluations,
                   const Json& downloads) {
  const Json& document = version.document;
  print_line("version", version.reference());
  print_line("kind", to_string(version.kind));
  print_line("digest", version.digest.to_string());
  print_line("state", text_of(document, "state"));
  print_line("reason", text_of(document, "state_reason"));
  print_line("made",
             text_of(document, "created_at") + " by " + text_of(document, "created_by"));
  print_line("message", text_of(document, "message"));
  print_line("size", format_size(document.value("size_bytes", std::uint64_t{0})) + " in " +
                         text_of(document, "file_count") + " files");
  print_line("aliases", joined(document, "aliases"));
  print_downloads(downloads);
  print_object("labels", document, "labels");
  print_object("metrics", document, "metrics");
  print_evaluations(evaluations);
  print_inputs(document);
  print_line("run", text_of(document, "run"));
  print_source(document);
  print_hyperparameters(document);
}

// null from a server that counts none.
Json get_downloads(ApiClient& server, const ResolvedVersion& version) {
  try {
    return server.get(version.path() + "/downloads");
  } catch (const Error& error) {
    if (error.code() != ErrorCode::not_found) throw;
    return nullptr;
  }
}

void show(const std::string& text, const GlobalOptions& global) {
  const Reference reference = Reference::parse(text);
  ApiClient server = connect(global);
  ResolvedVersion version = get_version(server, reference);
  const Json evaluations = get_evaluations(server, version);
  const Json downloads = get_downloads(server, version);
  if (!global.json) return print_version(version, evaluations, downloads);
  if (!evaluations.empty()) version.document["evaluations"] = evaluations;
  if (!downloads.is_null()) version.document["downloads"] = downloads;
  print_json(version.document);
}

}  // namespace

void declare_show(CLI::App& app, const GlobalOptions& global) {
  app.footer(R"(
Example:
  mendel show lhcb/lamarr-trk@production)");
  auto reference = std::make_shared<std::string>();
  app.add_option("REF", *reference, "a version")->required();
  app.callback([reference, &global] { show(*reference, global); });
}

}  // namespace mendel::cli
