#include "cli/pull_version.h"

#include <utility>

#include "cli/blob_cache.h"

namespace mendel::cli {

namespace {

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

}  // namespace

PulledVersion pull_version(ApiClient& server, const ResolvedVersion& version,
                           const PullRequest& request,
                           const std::filesystem::path& directory) {
  BlobCache cache(cache_settings());
  storage::Manifest manifest = get_tree(server, version, cache);
  const auto chosen =
      only_file(choose_files(manifest, request.platform), request.only_file);

  const auto target = TargetDirectory::open_or_create(directory);
  const auto known = known_states(target);
  const auto leftovers = request.only_file.empty() ? Leftovers::remove : Leftovers::keep;
  PullPlan plan =
      plan_pull(manifest, chosen, target, known, {request.strangers, leftovers});

  PullState state = incoming_state(server.access(), version, manifest, chosen);
  save_pull_state(target.new_incoming_file(), state);
  Transferred transferred =
      carry_out(server.access(), version, manifest, plan, target, cache);
  transferred.fetched.wire += server.received_bytes();
  save_result(target, std::move(state), transferred.placed, known, leftovers);
  const std::uint64_t size_bytes = size_of(manifest, chosen);
  return {target.path(),          std::move(manifest), std::move(plan),
          std::move(transferred), chosen.size(),       size_bytes};
}

}  // namespace mendel::cli
