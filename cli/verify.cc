#include <fmt/core.h>

#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/directory_check.h"
#include "cli/nowhere.h"
#include "cli/output.h"
#include "cli/rebuild_report.h"
#include "cli/referenced_file.h"
#include "cli/resolve.h"

namespace mendel::cli {

namespace {

struct VerifyOptions {
  std::string what;
  bool rebuild = false;
  bool deep = false;
};

// Of the files that stay where they are: what was found out of each.
struct Elsewhere {
  Json files = Json::array();
  std::size_t right = 0;
  std::size_t unchecked = 0;
  std::vector<std::string> wrong;
};

const char* in_words(ReferencedCheck::State state) {
  switch (state) {
    case ReferencedCheck::State::right: return "right";
    case ReferencedCheck::State::wrong: return "wrong";
    case ReferencedCheck::State::unchecked: return "unchecked";
  }
  return "";
}

Elsewhere check_elsewhere(const storage::Manifest& manifest) {
  Elsewhere elsewhere;
  for (const storage::ManifestFile& file : manifest.files) {
    if (file.locations.empty()) continue;
    const ReferencedCheck check = check_referenced(file);
    elsewhere.files.push_back({{"path", file.path},
                               {"state", in_words(check.state)},
                               {"reason", check.reason},
                               {"checksum", file.checksum},
                               {"locations", file.locations}});
    if (check.state == ReferencedCheck::State::right) ++elsewhere.right;
    if (check.state == ReferencedCheck::State::unchecked) ++elsewhere.unchecked;
    if (check.state == ReferencedCheck::State::wrong) {
      elsewhere.wrong.push_back(file.path + ": " + check.reason);
    }
  }
  return elsewhere;
}

void report(const Elsewhere& elsewhere) {
  if (elsewhere.files.empty()) return;
  fmt::print("{} files stay where they are: {} as the list says, {} not, {} not checked\n",
             elsewhere.files.size(), elsewhere.right, elsewhere.wrong.size(),
             elsewhere.unchecked);
  for (const Json& file : elsewhere.files) {
    if (file["state"] == "right") continue;
    fmt::print("{}  {} ({}): {}\n", file["state"].get<std::string>(),
               printable(file["path"].get<std::string>()),
               file["checksum"].get<std::string>(),
               printable(file["reason"].get<std::string>()));
  }
}

void verify_version(const Reference& reference, const GlobalOptions& global) {
  ApiClient server = connect(global);
  const ResolvedVersion version = get_version(server, reference);
  const storage::Manifest manifest = get_tree(server, version);
  std::vector<std::size_t> stored;
  std::uint64_t size_bytes = 0;
  for (std::size_t i = 0; i < manifest.files.size(); ++i) {
    if (!manifest.files[i].digest) continue;
    stored.push_back(i);
    size_bytes += manifest.files[i].size_bytes;
  }
  {
    Progress progress("verifying", size_bytes);
    Nowhere nowhere;
    fetch_files(server.access(), version, manifest, stored, nowhere, progress);
  }
  const Elsewhere elsewhere = check_elsewhere(manifest);
  if (global.json) {
    print_json({{"reference", version.reference()},
                {"digest", version.digest.to_string()},
                {"file_count", stored.size()},
                {"size_bytes", size_bytes},
                {"elsewhere", elsewhere.files}});
  } else {
    fmt::print("{}  {} files of {}: all as the manifest says\n", version.reference(),
               stored.size(), format_size(size_bytes));
    report(elsewhere);
  }
  if (!elsewhere.wrong.empty()) {
    throw Error(ErrorCode::data_loss,
                fmt::format("{} files are not what the list says, the first: {}",
                            elsewhere.wrong.size(), elsewhere.wrong.front()));
  }
}

void print_paths(const char* what, const std::vector<std::string>& paths) {
  for (const std::string& path : paths) fmt::print("{}  {}\n", what, printable(path));
}

void verify_directory(const std::string& directory, const GlobalOptions& global) {
  const auto target = TargetDirectory::open(directory);
  const auto state = find_pull_state(target.state_file());
  if (!state) throw Error(ErrorCode::not_found, "nothing was pulled into " + directory);

  const DirectoryCheck check = check_directory(target, *state);
  if (global.json) {
    print_json({{"reference", state->reference},
                {"digest", state->digest},
                {"changed", check.changed},
                {"missing", check.missing},
                {"extra", check.extra}});
  } else {
    print_paths("changed", check.changed);
    print_paths("missing", check.missing);
    print_paths("extra  ", check.extra);
  }
  if (check.is_damaged()) {
    throw Error(ErrorCode::data_loss,
                directory + " is not what " + state->reference + " was: " +
                    fmt::format("{} changed, {} missing", check.changed.size(),
                                check.missing.size()));
  }
  if (!global.json) {
    fmt::print("{}: {} files as in {}\n", directory, check.entry_count, state->reference);
  }
}

// A reference needs a '/', as a path may have one; what exists as a directory is one.
void verify(const VerifyOptions& options, const GlobalOptions& global) {
  if (options.deep && !options.rebuild) {
    throw Error(ErrorCode::invalid_argument,
                "--deep goes with --rebuild: without it every byte is hashed anyway");
  }
  if (options.rebuild) {
    return verify_rebuild(Reference::parse(options.what),
                          options.deep ? BytesAre::rehashed : BytesAre::asked_for, global);
  }
  if (std::filesystem::is_directory(options.what)) {
    return verify_directory(options.what, global);
  }
  verify_version(Reference::parse(options.what), global);
}

}  // namespace

void declare_verify(CLI::App& app, const GlobalOptions& global) {
  app.footer(R"(
A directory that was pulled into is compared with what was pulled: files that were changed or
are missing are named, and the exit status is 14; files beyond those are named, and do no harm.
No server is asked. A version is read from the server, whole, and every file compared with its
digest. What exists as a directory is taken for one.

Of files that are registered where they are, size and checksum are compared with what lies at a
file: location that this machine can read: exit status 14 if they differ. The server has no bytes
of them, and other locations (root:, https: …) are not read: such files are named as not checked,
and do not change the exit status. Use --json for what was found out of each.

With --rebuild, all that the version was made from is walked, itself first, and told, item by item,
whether it can still be had: bytes (the first of each file is asked for; with --deep all are read
and hashed), hyperparameters, patches, and commits, which are fetched from their repositories with
the git that is installed. What lies outside of the registry is 'elsewhere' if a digest tells
whether it is the same, and 'unverifiable' if none does; what nobody recorded is 'unrecorded'. The
exit status is 10 if anything is missing or unverifiable.

Examples:
  mendel verify model/
  mendel verify lhcb/lamarr-trk:17
  mendel verify lhcb/lamarr-trk@production --rebuild --deep)");
  auto options = std::make_shared<VerifyOptions>();
  app.add_option("REF|DIR", options->what, "a version, or a directory that was pulled into")
      ->required();
  app.add_flag("--rebuild", options->rebuild,
               "whether all that made the version can still be had");
  app.add_flag("--deep", options->deep, "with --rebuild: read and hash every byte");
  app.callback([options, &global] { verify(*options, global); });
}

}  // namespace mendel::cli
