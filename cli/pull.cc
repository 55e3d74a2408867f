#include <fmt/core.h>

#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/output.h"
#include "cli/pull_transfer.h"

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

std::vector<ChosenFile> only_file(std::vector<ChosenFile> chosen, const std::string& path) {
  if (path.empty()) return chosen;
  std::erase_if(chosen, [&](const ChosenFile& file) { return file.path != path; });
  if (chosen.empty()) throw Error(ErrorCode::not_found, "there is no file " + path);
  return chosen;
}

std::vector<PullState> known_states(const TargetDirectory& target) {
  std::vector<PullState> known;
  if (auto state = find_pull_state(target.state_file())) known.push_back(std::move(*state));
  for (const auto& file : target.incoming_files()) {
    if (auto state = find_pull_state(file)) known.push_back(std::move(*state));
  }
  return known;
}

// Everything that the directory will hold by our hand, whether this pull ends or not.
PullState incoming_state(const ServerAccess& access, const ResolvedVersion& version,
                         const storage::Manifest& manifest,
                         const std::vector<ChosenFile>& chosen) {
  PullState state{access.url, version.reference(), version.digest.to_string(), 0, {}};
  for (const ChosenFile& file : chosen) {
    if (!manifest.files[file.position].locations.empty()) continue;
    state.entries.emplace(file.path, entry_of(manifest.files[file.position]));
  }
  return state;
}

// Makes the directory what the plan says.
Transferred carry_out(const ServerAccess& access, const ResolvedVersion& version,
                      const storage::Manifest& manifest, PullPlan& plan,
                      const TargetDirectory& target, BlobCache& cache) {
  for (const std::string& path : plan.remove_first) target.remove(path);
  Transferred pulled = transfer_files(access, version, manifest, plan.fetch, target, cache);
  for (const std::string& path : plan.mode_changes) {
    PulledEntry& entry = plan.kept.at(path);
    entry.stamp = target.set_executable(path, entry.executable);
  }
  for (const ChosenFile& link : plan.links) {
    const storage::ManifestFile& file = manifest.files[link.position];
    target.place_link(file.link, link.path);
    pulled.placed.emplace(link.path, entry_of(file));
  }
  for (const ChosenFile& directory : plan.directories) {
    target.make_directory(directory.path);
    pulled.placed.emplace(directory.path, entry_of(manifest.files[directory.position]));
  }
  for (const std::string& path : plan.remove_last) target.remove(path);
  pulled.placed.merge(plan.kept);
  return pulled;
}

void save_result(const TargetDirectory& target, PullState state,
                 std::map<std::string, PulledEntry> entries,
                 const std::vector<PullState>& known, Leftovers leftovers) {
  state.entries = std::move(entries);
  if (leftovers == Leftovers::keep) {
    for (const PullState& earlier : known) {
      state.entries.insert(earlier.entries.begin(), earlier.entries.end());
    }
  }
  save_pull_state(target.state_file(), std::move(state));
  for (const auto& ended : target.incoming_files()) std::filesystem::remove(ended);
}

void warn(const storage::Manifest& manifest, const PullPlan& plan) {
  for (const std::string& path : plan.left_changed) {
    fmt::print(stderr, "mendel: warning: {} is no part of it, but was changed: kept\n",
               printable(path));
  }
  for (std::size_t i = 0; i < std::min(plan.elsewhere.size(), kShownMax); ++i) {
    const ChosenFile& file = plan.elsewhere[i];
    fmt::print(stderr, "mendel: {} is not pulled: it stays at {}\n", printable(file.path),
               printable(manifest.files[file.position].locations.front()));
  }
  if (plan.elsewhere.size() > kShownMax) {
    fmt::print(stderr, "mendel: … and {} more that stay where they are\n",
               plan.elsewhere.size() - kShownMax);
  }
}

Json describe_elsewhere(const storage::Manifest& manifest, const PullPlan& plan) {
  Json files = Json::array();
  for (const ChosenFile& chosen : plan.elsewhere) {
    const storage::ManifestFile& file = manifest.files[chosen.position];
    files.push_back({{"path", chosen.path},
                     {"size", file.size_bytes},
                     {"checksum", file.checksum},
                     {"locations", file.locations}});
  }
  return files;
}

// What a job expects to have is not there: no success, unless it said so.
void require_all_pulled(const PullPlan& plan, std::size_t file_count,
                        const PullArguments& arguments) {
  if (plan.elsewhere.empty() || arguments.stored_only) return;
  throw Error(
      ErrorCode::not_found,
      fmt::format("{} of {} files were not pulled, since they are not stored on the "
                  "server but stay where they are ('mendel files' names the "
                  "places); --stored-only pulls the others alone",
                  plan.elsewhere.size(), file_count));
}

void report(const ResolvedVersion& version, const TargetDirectory& target,
            const storage::Manifest& manifest, const PullPlan& plan,
            std::uint64_t size_bytes, const Transferred& pulled,
            const GlobalOptions& global) {
  if (global.json) {
    return print_json(
        {{"reference", version.reference()},
         {"digest", version.digest.to_string()},
         {"directory", target.path().string()},
         {"file_count", pulled.placed.size()},
         {"size_bytes", size_bytes},
         {"new_count", plan.fetch.size()},
         {"cached_bytes", pulled.cached_bytes},
         {"fetched_bytes", pulled.fetched.content},
         {"wire_bytes", pulled.fetched.wire},
         {"elsewhere", describe_elsewhere(manifest, plan)},
         {"removed_count", plan.remove_first.size() + plan.remove_last.size()}});
  }
  fmt::print("{}  {}\n", version.reference(), version.digest.to_string());
  fmt::print(stderr, "{}: {} new of {} files, {}; {} over the wire{}\n",
             target.path().string(), plan.fetch.size(), pulled.placed.size(),
             format_size(size_bytes), format_size(pulled.fetched.wire),
             pulled.cached_bytes == 0
                 ? ""
                 : ", " + format_size(pulled.cached_bytes) + " from the cache");
}

void pull(const PullArguments& arguments, const GlobalOptions& global) {
  const Reference reference = Reference::parse(arguments.reference);
  const std::string platform_here = arguments.platform == "auto" ? own_platform() : "";
  const auto choice = parse_platform_choice(arguments.platform, platform_here);

  ApiClient server = connect(global);
  const ResolvedVersion version = get_version(server, reference);
  warn_if_yanked(version);
  BlobCache cache(cache_settings());
  const storage::Manifest manifest = get_tree(server, version, cache);
  const auto chosen = only_file(choose_files(manifest, choice), arguments.file);

  const auto target = TargetDirectory::open_or_create(
      arguments.directory.empty() ? version.artifact.name().text() : arguments.directory);
  const auto known = known_states(target);
  const auto leftovers = arguments.file.empty() ? Leftovers::remove : Leftovers::keep;
  const auto strangers = arguments.force ? Strangers::replace : Strangers::refuse;
  PullPlan plan = plan_pull(manifest, chosen, target, known, {strangers, leftovers});

  PullState state = incoming_state(server.access(), version, manifest, chosen);
  save_pull_state(target.new_incoming_file(), state);
  Transferred pulled = carry_out(server.access(), version, manifest, plan, target, cache);
  pulled.fetched.wire += server.received_bytes();
  save_result(target, std::move(state), pulled.placed, known, leftovers);
  warn(manifest, plan);
  report(version, target, manifest, plan, size_of(manifest, chosen), pulled, global);
  require_all_pulled(plan, chosen.size(), arguments);
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
