#include <fmt/core.h>

#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/output.h"
#include "cli/pull_version.h"

namespace mendel::cli {

namespace {

constexpr std::size_t kShownMax = 10;

struct PullArguments {
  std::string reference;
  std::string directory;
  std::string platform;
  std::string file;
  bool force = false;
  bool stored_only = false;
};

void warn(const PulledVersion& pulled) {
  for (const std::string& path : pulled.plan.left_changed) {
    fmt::print(stderr, "mendel: warning: {} is no part of it, but was changed: kept\n",
               printable(path));
  }
  const auto& elsewhere = pulled.plan.elsewhere;
  for (std::size_t i = 0; i < std::min(elsewhere.size(), kShownMax); ++i) {
    const ChosenFile& file = elsewhere[i];
    fmt::print(stderr, "mendel: {} is not pulled: it stays at {}\n", printable(file.path),
               printable(pulled.manifest.files[file.position].locations.front()));
  }
  if (elsewhere.size() > kShownMax) {
    fmt::print(stderr, "mendel: … and {} more that stay where they are\n",
               elsewhere.size() - kShownMax);
  }
}

Json describe_elsewhere(const PulledVersion& pulled) {
  Json files = Json::array();
  for (const ChosenFile& chosen : pulled.plan.elsewhere) {
    const storage::ManifestFile& file = pulled.manifest.files[chosen.position];
    files.push_back({{"path", chosen.path},
                     {"size", file.size_bytes},
                     {"checksum", file.checksum},
                     {"locations", file.locations}});
  }
  return files;
}

// What a job expects to have is not there: no success, unless it said so.
void require_all_pulled(const PulledVersion& pulled, const PullArguments& arguments) {
  if (pulled.plan.elsewhere.empty() || arguments.stored_only) return;
  throw Error(
      ErrorCode::not_found,
      fmt::format("{} of {} files were not pulled, since they are not stored on the "
                  "server but stay where they are ('mendel files' names the "
                  "places); --stored-only pulls the others alone",
                  pulled.plan.elsewhere.size(), pulled.file_count));
}

void report(const ResolvedVersion& version, const PulledVersion& pulled,
            const GlobalOptions& global) {
  const auto& [directory, manifest, plan, transferred, file_count, size_bytes] = pulled;
  if (global.json) {
    return print_json(
        {{"reference", version.reference()},
         {"digest", version.digest.to_string()},
         {"directory", directory.string()},
         {"file_count", transferred.placed.size()},
         {"size_bytes", size_bytes},
         {"new_count", plan.fetch.size()},
         {"cached_bytes", transferred.cached_bytes},
         {"fetched_bytes", transferred.fetched.content},
         {"wire_bytes", transferred.fetched.wire},
         {"elsewhere", describe_elsewhere(pulled)},
         {"removed_count", plan.remove_first.size() + plan.remove_last.size()}});
  }
  fmt::print("{}  {}\n", version.reference(), version.digest.to_string());
  fmt::print(stderr, "{}: {} new of {} files, {}; {} over the wire{}\n", directory.string(),
             plan.fetch.size(), transferred.placed.size(), format_size(size_bytes),
             format_size(transferred.fetched.wire),
             transferred.cached_bytes == 0
                 ? ""
                 : ", " + format_size(transferred.cached_bytes) + " from the cache");
}

void pull(const PullArguments& arguments, const GlobalOptions& global) {
  const Reference reference = Reference::parse(arguments.reference);
  const std::string platform_here = arguments.platform == "auto" ? own_platform() : "";
  const PullRequest request{
      .platform = parse_platform_choice(arguments.platform, platform_here),
      .only_file = arguments.file,
      .strangers = arguments.force ? Strangers::replace : Strangers::refuse};

  ApiClient server = connect(global);
  const ResolvedVersion version = get_version(server, reference);
  warn_if_yanked(version);
  const PulledVersion pulled = pull_version(
      server, version, request,
      arguments.directory.empty() ? version.artifact.name().text() : arguments.directory);
  warn(pulled);
  report(version, pulled, global);
  require_all_pulled(pulled, arguments);
}

}  // namespace

void declare_pull(CLI::App& app, const GlobalOptions& global) {
  app.footer(R"(
Every file is checked against its digest, and appears whole or not at all. Files that are right
already are not fetched again, and of large files that were pulled before only the parts that
differ. Files of an earlier pull that the version does not have are removed, unless they were
changed since. A file that was not pulled, and is in the way, is left alone and named: --force
replaces it. What was pulled is remembered in DIR/.mendel, for this and for 'mendel verify DIR'.
At the end it says how much came over the wire: all that the server sent, headers included.

Files that are registered where they are, and not stored, are not pulled: they are named with their
places, and the exit status is 10 unless --stored-only says that this is as it should be.

Jobs of one node that set MENDEL_CACHE to the same directory fetch each blob once: one of them
does, and the others wait for it. MENDEL_CACHE_MAX (10G; K, M, G and T are understood) is how
much it keeps; what was used the longest ago goes first. Files come out of it as clones, where
the file system knows them (XFS, Btrfs). Else they are hard links, and for that read-only: to
edit one, replace it by a copy. For root, and on another file system, they are copies. Whatever
comes out is checked against its digest, and fetched again if it was changed. Users do not
see each other's blobs, each has a cache below the directory; in one for all users, set its mode
as that of /tmp. If anything is wrong with the cache, a warning says so and the pull goes on
without it.

Platforms: if there are files for several, one must be chosen. A file for all platforms is used
where there is none for the chosen one. With 'auto' it is MENDEL_PLATFORM, or BINARY_TAG, or a
lower level of the same architecture (x86_64_v2 for x86_64_v3), or what is for all platforms.
With 'all', files for a platform go to DIR/PLATFORM/.

Examples:
  mendel pull lhcb/lamarr-trk@production --platform auto --to model/
  mendel pull lhcb/calib-2016:3
  mendel pull lhcb/lamarr-trk:17 --file libtrk.so --platform x86_64_v2-el9-gcc13-opt)");
  auto arguments = std::make_shared<PullArguments>();
  app.add_option("REF", arguments->reference, "a version")->required();
  app.add_option("--to", arguments->directory, "where to; otherwise the artifact's name")
      ->type_name("DIR");
  app.add_option("--platform", arguments->platform, "a platform, auto, or all")
      ->type_name("PLATFORM");
  app.add_option("--file", arguments->file, "only this file; others stay as they are")
      ->type_name("PATH");
  app.add_flag("--force", arguments->force,
               "replace files that were not pulled, or were changed");
  app.add_flag("--stored-only", arguments->stored_only,
               "leave files that are not stored on the server where they are");
  app.callback([arguments, &global] { pull(*arguments, global); });
}

}  // namespace mendel::cli
