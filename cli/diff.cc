#include <fmt/core.h>

#include <CLI/CLI.hpp>

#include "cli/changed_bytes.h"
#include "cli/command.h"
#include "cli/evaluations.h"
#include "cli/git_log.h"
#include "cli/manifest_diff.h"
#include "cli/output.h"
#include "cli/resolve.h"
#include "cli/version_diff.h"

namespace mendel::cli {

namespace {

constexpr std::size_t kShortCommitSize = 12;
constexpr std::size_t kLogShownMax = 20;

struct DiffOptions {
  std::string before;
  std::string after;
  std::string git_directory = ".";
};

const char* verb_of(const FileChange& change) {
  if (!change.before) return "added";
  return change.after ? "changed" : "removed";
}

const storage::ManifestFile& file_of(const FileChange& change) {
  return change.after ? *change.after : *change.before;
}

// --- what the server and the repository say
// ------------------------------------------------

Json diff_files(ApiClient& server, const ResolvedVersion& before,
                const ResolvedVersion& after) {
  const storage::Manifest old_tree = get_tree(server, before);
  const storage::Manifest new_tree = get_tree(server, after);
  Json items = Json::array();
  for (const FileChange& change : find_changes(old_tree, new_tree)) {
    Json item = {{"change", verb_of(change)}, {"path", file_of(change).path}};
    if (!file_of(change).platform.empty()) item["platform"] = file_of(change).platform;
    if (change.before) item["size_before"] = change.before->size_bytes;
    if (change.after) item["size_after"] = change.after->size_bytes;
    if (change.before && change.after) {
      item["bytes_changed"] =
          changed_bytes(server, before.path(), *change.before, after.path(), *change.after);
    }
    items.push_back(std::move(item));
  }
  return items;
}

Json entries_of(const std::vector<GitLogEntry>& log) {
  Json entries = Json::array();
  for (const auto& [commit, summary] : log) {
    entries.push_back({{"commit", commit}, {"summary", summary}});
  }
  return entries;
}

// With the commits between the two, if the repository at hand has both.
Json diff_source_with_log(const Json& before, const Json& after,
                          const std::string& git_directory) {
  Json difference = diff_source(before, after);
  if (!difference.contains("before") || !difference.contains("after")) return difference;
  const std::string older = text_of(difference["before"], "commit");
  const std::string newer = text_of(difference["after"], "commit");
  if (older == newer) return difference;
  if (const auto log = find_commits_between(git_directory, older, newer)) {
    difference["gained"] = entries_of(log->gained);
    difference["lost"] = entries_of(log->lost);
  }
  return difference;
}

// --- what people see
// -----------------------------------------------------------------------

std::string shown(const Json& entry, const char* member) {
  return entry.contains(member) ? text_of(entry, member) : "-";
}

void print_title(std::string_view title) { fmt::print("\n{}\n", title); }

// "  lr   0.01 -> 0.001", with the names below each other.
void print_changes(std::string_view title, const Json& entries, const char* name) {
  if (entries.empty()) return;
  print_title(title);
  Table table({"", "", "", "", ""});
  table.hide_header();
  for (const Json& entry : entries) {
    table.add(
        {"", text_of(entry, name), shown(entry, "before"), "->", shown(entry, "after")});
  }
  table.print();
}

void print_files(const Json& items) {
  if (items.empty()) return fmt::print("\nthe files are the same\n");
  fmt::print("\n");
  const auto size_of = [](const Json& item, const char* member) {
    return item.contains(member) ? format_size(item[member].get<std::uint64_t>()) : "";
  };
  Table table({"FILES", "PATH", "PLATFORM", "BEFORE", "AFTER", "BYTES CHANGED"});
  for (const Json& item : items) {
    table.add({text_of(item, "change"), text_of(item, "path"), text_of(item, "platform"),
               size_of(item, "size_before"), size_of(item, "size_after"),
               size_of(item, "bytes_changed")});
  }
  table.print();
}

void print_inputs(const Json& inputs) {
  if (inputs.empty()) return;
  Json named = inputs;
  for (Json& input : named) {
    const std::string name = text_of(input, "name");
    input["what"] = text_of(input, "role") + (name.empty() ? "" : " " + name);
  }
  print_changes("inputs", named, "what");
}

std::string describe_source(const Json& source) {
  std::string text = text_of(source, "commit").substr(0, kShortCommitSize);
  const std::string branch = text_of(source, "branch");
  if (!branch.empty()) text += " on " + branch;
  if (source.value("dirty", false)) text += " (dirty)";
  return text;
}

void print_log(const Json& entries, char sign) {
  std::size_t count = 0;
  for (const Json& entry : entries) {
    if (count++ == kLogShownMax) break;
    fmt::print("  {} {} {}\n", sign, text_of(entry, "commit").substr(0, kShortCommitSize),
               printable(text_of(entry, "summary")));
  }
  if (entries.size() > kLogShownMax) {
    fmt::print("  {} and {} more\n", sign, entries.size() - kLogShownMax);
  }
}

void print_source(const Json& source) {
  if (source.is_null()) return;
  print_title("source");
  const auto side = [&](const char* member) {
    return source.contains(member) ? printable(describe_source(source[member])) : "-";
  };
  fmt::print("  {} -> {}\n", side("before"), side("after"));
  print_log(source.value("gained", Json::array()), '+');
  print_log(source.value("lost", Json::array()), '-');
}

void print_difference(const Json& difference) {
  fmt::print("{} -> {}\n", text_of(difference, "before"), text_of(difference, "after"));
  print_files(difference["items"]);
  print_changes("components", difference["components"], "name");
  print_changes("hyperparameters", difference["hyperparameters"], "path");
  print_inputs(difference["inputs"]);
  print_source(difference["source"]);
  print_changes("metrics", difference["metrics"], "name");
  print_changes("evaluations", difference["evaluations"], "name");
  print_changes("labels", difference["labels"], "name");
}

void diff(const DiffOptions& options, const GlobalOptions& global) {
  const Reference before_ref = Reference::parse(options.before);
  const Reference after_ref = Reference::parse(options.after);
  ApiClient server = connect(global);
  const ResolvedVersion before = get_version(server, before_ref);
  const ResolvedVersion after = get_version(server, after_ref);
  const Json& old_document = before.document;
  const Json& new_document = after.document;

  Json difference = {
      {"before", before.reference()},
      {"after", after.reference()},
      {"items", diff_files(server, before, after)},
      {"components", diff_components(old_document, new_document)},
      {"hyperparameters", diff_hyperparameters(old_document, new_document)},
      {"inputs", diff_inputs(old_document, new_document)},
      {"source", diff_source_with_log(old_document, new_document, options.git_directory)},
      {"metrics", diff_metrics(old_document, new_document)},
      {"evaluations",
       diff_evaluations(get_evaluations(server, before), get_evaluations(server, after))},
      {"labels", diff_labels(old_document, new_document)}};
  if (!global.json) return print_difference(difference);
  if (difference["source"].is_null()) difference.erase("source");
  print_json(difference);
}

}  // namespace

void declare_diff(CLI::App& app, const GlobalOptions& global) {
  app.footer(R"(
Succeeds whether there are differences or not. BYTES CHANGED are those in chunks that the
older file does not have: what it takes to bring it up to date. The commits between the two
are shown if the repository that the command stands in, or --git, has both: '+' is new,
'-' is gone. Of several evaluations of a metric the newest counts.

Example:
  mendel diff lhcb/lamarr-trk:16 lhcb/lamarr-trk@staging)");
  auto options = std::make_shared<DiffOptions>();
  app.add_option("BEFORE", options->before, "a version")->required();
  app.add_option("AFTER", options->after, "a version")->required();
  app.add_option("--git", options->git_directory, "where the source's repository is")
      ->type_name("DIR");
  app.callback([options, &global] { diff(*options, global); });
}

}  // namespace mendel::cli
