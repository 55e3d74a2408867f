#include "cli/pull_plan.h"

#include <algorithm>
#include <set>

#include "cli/file_digest.h"
#include "cli/interrupt.h"
#include "storage/base/error.h"

namespace mendel::cli {

namespace {

using Type = LocalEntry::Type;

constexpr std::size_t kConflictsShownMax = 10;

// The directories above a path, outermost first.
std::vector<std::string> parents_of(const std::string& path) {
  std::vector<std::string> parents;
  for (auto slash = path.find('/'); slash != path.npos; slash = path.find('/', slash + 1)) {
    parents.push_back(path.substr(0, slash));
  }
  return parents;
}

class Planner {
 public:
  Planner(const storage::Manifest& manifest, const TargetDirectory& target,
          const std::vector<PullState>& known, PullOptions options)
      : manifest_(manifest), target_(target), known_(known), options_(options) {}

  PullPlan plan(const std::vector<ChosenFile>& chosen) && {
    for (const ChosenFile& file : chosen) note_wanted(file);
    if (options_.leftovers == Leftovers::remove) plan_leftovers();
    for (const ChosenFile& file : chosen) {
      throw_if_interrupted();
      plan_file(file);
    }
    throw_if_blocked();
    return std::move(plan_);
  }

 private:
  void note_wanted(const ChosenFile& file) {
    if (file.path == ".mendel" || file.path.starts_with(".mendel/")) {
      throw Error(ErrorCode::unprocessable,
                  "the version has a file " + file.path + ", where pulls keep their state");
    }
    wanted_.insert(file.path);
    for (std::string& parent : parents_of(file.path))
      wanted_parents_.insert(std::move(parent));
  }

  void plan_leftovers() {
    for (const PullState& state : known_) {
      for (const auto& [path, entry] : state.entries) {
        if (!wanted_.contains(path) && !leftovers_.contains(path)) plan_leftover(path);
      }
    }
  }

  void plan_leftover(const std::string& path) {
    const auto existing = target_.find(path);
    if (!existing) return;
    if (existing->type == Type::other || !is_ours(path, *existing)) {
      plan_.left_changed.push_back(path);
      return;
    }
    leftovers_.insert(path);
    (is_in_the_way(path) ? plan_.remove_first : plan_.remove_last).push_back(path);
  }

  bool is_in_the_way(const std::string& path) const {
    if (wanted_parents_.contains(path)) return true;
    return std::ranges::any_of(parents_of(path), [&](const std::string& above) {
      return wanted_.contains(above);
    });
  }

  void plan_file(const ChosenFile& chosen) {
    const storage::ManifestFile& file = manifest_.files[chosen.position];
    if (!file.locations.empty()) return plan_.elsewhere.push_back(chosen);

    const auto existing =
        is_below_leftover(chosen.path) ? std::nullopt : target_.find(chosen.path);
    if (existing && keep_if_right(chosen, file, *existing)) return;
    if (existing && !may_replace(chosen.path, *existing))
      return blocked_.push_back(chosen.path);

    if (file.digest) {
      plan_.fetch.push_back(chosen);
    } else {
      (file.directory ? plan_.directories : plan_.links).push_back(chosen);
    }
  }

  bool is_below_leftover(const std::string& path) const {
    return std::ranges::any_of(parents_of(path), [&](const std::string& above) {
      return leftovers_.contains(above);
    });
  }

  bool keep_if_right(const ChosenFile& chosen, const storage::ManifestFile& file,
                     const LocalEntry& existing) {
    PulledEntry entry = entry_of(file);
    if (file.digest) {
      if (existing.type != Type::file || existing.stamp.size_bytes != file.size_bytes)
        return false;
      if (digest_at(chosen.path, existing) != *file.digest) return false;
      entry.stamp = existing.stamp;
      if (existing.executable != file.executable) plan_.mode_changes.push_back(chosen.path);
    } else if (file.directory ? existing.type != Type::directory
                              : existing.link != file.link) {
      return false;
    }
    plan_.kept.emplace(chosen.path, std::move(entry));
    return true;
  }

  bool may_replace(const std::string& path, const LocalEntry& existing) {
    switch (existing.type) {
      case Type::directory:
        // Its files are removed first, if they are all ours.
        return std::ranges::any_of(plan_.remove_first, [&](const std::string& leftover) {
          return leftover.starts_with(path + "/");
        });
      case Type::file:
      case Type::link:
        return options_.strangers == Strangers::replace || is_ours(path, existing);
      case Type::other: return false;
    }
    return false;
  }

  // Whether an earlier pull wrote what is there now.
  bool is_ours(const std::string& path, const LocalEntry& existing) {
    for (const PullState& state : known_) {
      const auto entry = state.entries.find(path);
      if (entry == state.entries.end()) continue;
      if (is_same(path, existing, entry->second)) return true;
    }
    return false;
  }

  bool is_same(const std::string& path, const LocalEntry& existing,
               const PulledEntry& entry) {
    switch (existing.type) {
      case Type::directory: return entry.is_directory();
      case Type::link: return !entry.link.empty() && entry.link == existing.link;
      case Type::file: return entry.digest && digest_at(path, existing) == *entry.digest;
      case Type::other: return false;
    }
    return false;
  }

  // Without reading it, where the last pull's stamp proves what it is.
  Digest digest_at(const std::string& path, const LocalEntry& existing) {
    for (const PullState& state : known_) {
      const auto entry = state.entries.find(path);
      if (entry != state.entries.end() && entry->second.digest &&
          state.proves_unchanged(entry->second, existing.stamp)) {
        return *entry->second.digest;
      }
    }
    const auto [digest, is_new] = digests_.try_emplace(path);
    if (is_new) digest->second = digest_of(target_.open_file(path), path);
    return digest->second;
  }

  void throw_if_blocked() const {
    if (blocked_.empty()) return;
    std::string message =
        "these are in the way, and were not pulled or were changed since:";
    for (std::size_t i = 0; i < std::min(blocked_.size(), kConflictsShownMax); ++i) {
      message += "\n  " + blocked_[i];
    }
    if (blocked_.size() > kConflictsShownMax) {
      message +=
          "\n  … and " + std::to_string(blocked_.size() - kConflictsShownMax) + " more";
    }
    throw Error(ErrorCode::already_exists, message + "\n--force replaces them");
  }

  const storage::Manifest& manifest_;
  const TargetDirectory& target_;
  const std::vector<PullState>& known_;
  const PullOptions options_;
  std::set<std::string> wanted_;
  std::set<std::string> wanted_parents_;
  std::set<std::string> leftovers_;
  std::map<std::string, Digest> digests_;  // of files that were read
  std::vector<std::string> blocked_;
  PullPlan plan_;
};

}  // namespace

PullPlan plan_pull(const storage::Manifest& manifest, const std::vector<ChosenFile>& chosen,
                   const TargetDirectory& target, const std::vector<PullState>& known,
                   PullOptions options) {
  return Planner(manifest, target, known, options).plan(chosen);
}

PulledEntry entry_of(const storage::ManifestFile& file) {
  PulledEntry entry;
  entry.digest = file.digest;
  entry.link = file.link;
  entry.executable = file.executable;
  entry.stamp.size_bytes = file.size_bytes;
  return entry;
}

}  // namespace mendel::cli
