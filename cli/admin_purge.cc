#include <fmt/core.h>

#include <CLI/CLI.hpp>

#include "cli/admin.h"
#include "cli/api_client.h"
#include "cli/output.h"
#include "storage/base/digest.h"

namespace mendel::cli {

namespace {

struct PurgeOptions {
  std::string what;
  std::string reason;
  std::string path;
  bool dry_run = false;
  bool yes = false;
};

Json body_of(const PurgeOptions& options) {
  Json body{{"reason", options.reason}, {"dry_run", options.dry_run}};
  body[Digest::find_in(options.what) ? "digest" : "ref"] = options.what;
  if (!options.path.empty()) body["path"] = options.path;
  return body;
}

std::uint64_t number(const Json& object, const char* member) {
  return object.at(member).get<std::uint64_t>();
}

void print_plan(const Json& answer) {
  fmt::print("{} blobs, {}\n", number(answer, "blob_count"),
             format_size(number(answer, "size_bytes")));
  for (const Json& blob : answer.at("blobs")) {
    fmt::print("  {}  {}  of {}\n", text_of(blob, "digest"),
               format_size(number(blob, "size_bytes")), joined(blob, "namespaces"));
  }
  fmt::print("{} versions lose files\n", number(answer, "version_count"));
  for (const Json& version : answer.at("versions")) {
    const std::string aliases = joined(version, "aliases");
    fmt::print("  {}{}{}: {}\n", text_of(version, "ref"),
               text_of(version, "state") == "active" ? "" : ", yanked",
               aliases.empty() ? "" : " (" + aliases + ")",
               printable(joined(version, "paths")));
  }
}

void print_outcome(const Json& answer) {
  const Json& removed = answer.at("removed");
  fmt::print("{} removed: {} packs rewritten, {} removed\n",
             format_size(number(removed, "bytes_removed")),
             number(removed, "packs_rewritten"), number(removed, "packs_removed"));
  if (const auto kept = number(removed, "chunks_kept"); kept > 0) {
    fmt::print("{} chunks stay ({}): other blobs have them, too\n", kept,
               format_size(number(removed, "bytes_kept")));
  }
  for (const Json& problem : removed.at("problems")) {
    fmt::print("damaged: {}\n", printable(problem.get<std::string>()));
  }
}

void require_complete(const Json& answer) {
  if (answer.at("complete").get<bool>()) return;
  if (!answer.at("removed").at("problems").empty()) {
    throw Error(ErrorCode::data_loss,
                "nobody gets the blobs any more, but packs that cannot be read may have "
                "bytes of them");
  }
  throw Error(ErrorCode::unavailable,
              "nobody gets the blobs any more, but another server is purging: repeat this "
              "to have their bytes removed");
}

void purge(const PurgeOptions& options, const GlobalOptions& global) {
  if (!options.dry_run && !options.yes) {
    throw CLI::ValidationError("--yes",
                               "what is purged does not come back: look with "
                               "--dry-run, then say --yes");
  }
  ApiClient server = connect(global);
  const Json answer = server.post("/api/v1/admin/purge", body_of(options));
  if (global.json) {
    print_json(answer);
  } else {
    print_plan(answer);
    if (!options.dry_run) print_outcome(answer);
  }
  if (!options.dry_run) require_complete(answer);
}

}  // namespace

void declare_purge(CLI::App& admin, const GlobalOptions& global) {
  CLI::App* command =
      admin.add_subcommand("purge", "remove bytes that must not exist, for good");
  command->footer(R"(
A blob goes from all namespaces, and whoever asks for it is told that it is gone, when and
why. It cannot be stored again. Versions that had it keep their numbers, manifests and
pedigree. Chunks that other blobs have too stay. If it is broken off, repeat it: it goes on;
so does the server when it starts.

Copies that were pulled before are not reached, nor are backups.

Examples:
  mendel admin purge lhcb/lamarr-trk:17 --reason "licence" --dry-run
  mendel admin purge lhcb/lamarr-trk:17 --file weights.bin --reason "licence" --yes
  mendel admin purge sha256:… --reason "holds a key" --yes)");
  auto options = std::make_shared<PurgeOptions>();
  command
      ->add_option("what", options->what,
                   "a version, of which all stored files go, or the digest of a file")
      ->required()
      ->type_name("REF|DIGEST");
  command->add_option("--reason", options->reason, "why: is kept, and told")
      ->required()
      ->type_name("TEXT");
  command->add_option("--file", options->path, "of the version, only this file")
      ->type_name("PATH");
  command->add_flag("--dry-run", options->dry_run, "only say what would go");
  command->add_flag("--yes", options->yes, "do it");
  command->callback([options, &global] { purge(*options, global); });
}

}  // namespace mendel::cli
