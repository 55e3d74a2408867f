#include <fmt/core.h>

#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/file_digest.h"
#include "cli/output.h"

namespace mendel::cli {

namespace {

constexpr std::size_t kShownMax = 100;
constexpr std::size_t kPageMax = 1000;

struct SearchOptions {
  std::vector<std::string> words;
  std::string file;
  std::size_t limit = kShownMax;
};

std::string query_of(const SearchOptions& options) {
  std::string query;
  for (const std::string& word : options.words) query += (query.empty() ? "" : " ") + word;
  if (options.file.empty()) return query;
  const Digest digest = digest_of(open_for_reading(options.file), options.file);
  return query.empty() ? digest.to_string() : "(" + query + ") " + digest.to_string();
}

struct Found {
  std::vector<Json> items;
  bool has_more = false;
};

Found find(ApiClient& server, const std::string& query, std::size_t limit) {
  Found found;
  const std::string path = "/api/v1/search?q=" + percent_encode(query);
  std::string after;
  do {
    const std::size_t count = std::min(limit - found.items.size(), kPageMax);
    Json page = server.get(fmt::format("{}&limit={}{}", path, count, after));
    for (Json& item : page.at("items")) found.items.push_back(std::move(item));
    found.has_more = page.contains("next");
    if (found.has_more) {
      after = "&after=" + percent_encode(page["next"].get<std::string>());
    }
  } while (found.has_more && found.items.size() < limit);
  return found;
}

std::string metrics_of(const Json& item) {
  std::string text;
  const Json metrics = item.value("metrics", Json::object());
  for (const auto& [name, value] : metrics.items()) {
    text += (text.empty() ? "" : " ") + name + "=" +
            (value.is_string() ? value.get<std::string>() : value.dump());
  }
  return text;
}

std::string first_line(const Json& item) {
  const std::string message = text_of(item, "message");
  return message.substr(0, message.find('\n'));
}

void print_versions(const std::vector<Json>& items) {
  Table table({"VERSION", "KIND", "MADE", "BY", "STATE", "ALIASES", "METRICS", "MESSAGE"});
  for (const Json& item : items) {
    table.add({text_of(item, "ref"), text_of(item, "kind"), text_of(item, "created_at"),
               text_of(item, "created_by"), text_of(item, "state"), joined(item, "aliases"),
               metrics_of(item), first_line(item)});
  }
  table.print();
}

void print_runs(const std::vector<Json>& items) {
  Table table(
      {"RUN", "NAMESPACE", "NAME", "STATUS", "STARTED", "BY", "METRICS", "MESSAGE"});
  for (const Json& item : items) {
    table.add({text_of(item, "id"), text_of(item, "namespace"), text_of(item, "name"),
               text_of(item, "status"), text_of(item, "started_at"),
               text_of(item, "created_by"), metrics_of(item), first_line(item)});
  }
  table.print();
}

void search(const SearchOptions& options, const GlobalOptions& global) {
  const std::string query = query_of(options);
  ApiClient server = connect(global);
  const Found found = find(server, query, options.limit);
  if (global.json) return print_json_items(found.items);

  const bool are_runs = !found.items.empty() && found.items[0].value("is", "") == "run";
  are_runs ? print_runs(found.items) : print_versions(found.items);
  if (found.items.empty()) fmt::print(stderr, "mendel: nothing is like that\n");
  if (found.has_more) {
    fmt::print(stderr, "mendel: there are more: --limit shows them\n");
  }
}

constexpr const char* kHelp = R"(
What is found is listed newest first. TEXT is terms, each a field or a word:

  mendel search kind:model 'param.training.lr < 0.001' 'metric.chi2_ndf < 3'
  mendel search 'alias:production OR label.data-taking:2016*' NOT state:yanked
  mendel search is:run status:finished metric.loss.min'<'0.1

Terms that follow each other, or have AND between them, must all be so. OR, NOT (or a '-'
before a term) and parentheses do as they say; AND binds closer than OR.

  word, "two words"     each begins a word of the message, or all of it is in the name
  is:version, is:run    what to find; versions unless it is said
  kind:model            model, dataset or environment
  namespace:lhcb        ignoring case, as for all names
  name:lamarr-*         or with its namespace, name:lhcb/lamarr-*
  label.KEY:VALUE       label.KEY:* is any value
  param.a.b < 0.001     a hyperparameter: members and indices (param.layers.0) with dots
  metric.NAME < 3       of a version as it was published, of a run its last value
  metric.NAME.last      also .min and .max: of the run, or of the run that made the version
  evaluation.NAME       in any evaluation of the version
  commit:3f2a9c1        its first 7 digits or more
  sha256:HEX, digest:sha256:HEX
                        versions that contain a file with this digest, or have it themselves
  creator:lamarr-ci     who made it
  created:2024-02-13    that day (UTC); also with <, <=, >, >=, and RFC 3339 times
  alias:production      points at it now
  state:yanked          of a version: active or yanked
  status:finished       of a run: running, finished, failed, killed or lost

Fields take : = and !=; numbers and times also < <= > >=. After ':' a '*' stands for any
text, '=' means exactly this. 'param.n != 3' has another value, 'NOT param.n = 3' may
have none. Text that spells a number is compared as a number, "quoted" values as text.
Values and keys with spaces, parentheses or quotes are quoted: metric."val loss".min.
A metric whose name ends in .last, .min or .max is quoted, too: metric."pt.min".

Examples:
  mendel search --file libtrk.so          which versions contain the file in hand
  mendel search retrained namespace:lhcb --limit 1000 --json)";

}  // namespace

void declare_search(CLI::App& app, const GlobalOptions& global) {
  app.footer(kHelp);
  app.positionals_at_end(false);
  app.allow_extras(false);
  auto options = std::make_shared<SearchOptions>();
  app.add_option("TEXT", options->words, "what to search for, as below");
  app.add_option("--file", options->file, "the versions that contain this file")
      ->type_name("PATH");
  app.add_option("--limit", options->limit,
                 fmt::format("show no more than this ({})", kShownMax))
      ->check(CLI::Range(1, 1'000'000))
      ->type_name("N");
  app.callback([options, &global] { search(*options, global); });
}

}  // namespace mendel::cli
