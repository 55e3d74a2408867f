#include "cli/git_source.h"

#include "cli/ci_job.h"
#include "cli/git_patch.h"
#include "cli/git_repository.h"
#include "storage/base/clock.h"
#include "storage/base/digest.h"

namespace mendel::cli {

namespace {

constexpr std::size_t kTagsMax = 100;
constexpr std::size_t kShownMax = 5;

std::string author_of(const git_commit* commit) {
  const git_signature* const author = git_commit_author(commit);
  return as_utf8(author->name) + " <" + as_utf8(author->email) + ">";
}

std::string authored_at(const git_commit* commit) {
  const std::chrono::seconds since_epoch(git_commit_author(commit)->when.time);
  return format_rfc3339(Timestamp(since_epoch));
}

Json describe_commit(const GitRepository& repository, const git_commit* commit) {
  Json source = {{"commit", git_oid_tostr_s(git_commit_id(commit))},
                 {"author", author_of(commit)},
                 {"authored_at", authored_at(commit)},
                 {"dirty", false}};
  if (const auto url = repository.find_remote_url()) source["repository"] = *url;
  if (const auto branch = repository.find_branch()) source["branch"] = *branch;
  std::vector<std::string> tags = repository.tags_at(*git_commit_id(commit));
  if (tags.size() > kTagsMax) tags.resize(kTagsMax);
  if (!tags.empty()) source["tags"] = tags;
  if (repository.is_shallow()) source["shallow"] = true;
  if (Json job = find_ci_job(); !job.is_null()) source["ci"] = std::move(job);
  return source;
}

void add_submodules(const GitRepository& repository, CapturedSource& captured,
                    std::vector<std::string>& changed) {
  for (const GitSubmodule& submodule : repository.submodules()) {
    captured.source["submodules"].push_back(
        {{"path", submodule.path}, {"commit", submodule.commit}});
    if (submodule.is_moved || submodule.is_changed) changed.push_back(submodule.path);
    if (submodule.is_changed) {
      captured.notes.push_back("the changes inside of the submodule " + submodule.path +
                               " are not in the patch: commit them there");
    }
  }
}

void add_changes(GitChanges changes, CapturedSource& captured) {
  for (const UntrackedFile& file : changes.untracked) {
    captured.source["untracked"].push_back(
        {{"path", file.path}, {"size", file.size_bytes}});
  }
  if (changes.untracked_omitted > 0) {
    captured.source["untracked_omitted"] = changes.untracked_omitted;
  }
  if (changes.patch.empty()) return;
  captured.source["patch"] = Digest::of(changes.patch).to_string();
  captured.source["patch_size"] = changes.patch.size();
  captured.patch = std::move(changes.patch);
}

void require_clean(const std::vector<std::string>& changed) {
  if (changed.empty()) return;
  std::string message = "--require-clean: the git tree has changes:";
  for (std::size_t i = 0; i < std::min(changed.size(), kShownMax); ++i) {
    message += "\n  " + changed[i];
  }
  if (changed.size() > kShownMax) {
    message += "\n  … and " + std::to_string(changed.size() - kShownMax) + " more";
  }
  throw Error(ErrorCode::failed_precondition, message);
}

CapturedSource capture(const GitRepository& repository, const git_commit* commit,
                       const SourceOptions& options) {
  CapturedSource captured{describe_commit(repository, commit), "", {}};
  std::vector<std::string> changed;
  if (!repository.is_bare()) {
    GitChanges changes =
        read_changes(repository, commit,
                     options.include_untracked ? Untracked::include : Untracked::list);
    changed = changes.changed;
    add_changes(std::move(changes), captured);
    add_submodules(repository, captured, changed);
  }
  if (options.require_clean) require_clean(changed);
  captured.source["dirty"] = !changed.empty();
  if (!captured.source.contains("repository")) {
    captured.notes.push_back(
        "the git repository has no remote, so that nobody else can "
        "get the commit from one");
  }
  return captured;
}

// Nothing to name: a matter for a refusal only if somebody insists on git.
CapturedSource capture_nothing(const GitRepository& repository,
                               const SourceOptions& options) {
  const std::string what =
      "the git repository at " + repository.path() + " has no commit yet";
  if (options.require_clean || !options.directory.empty()) {
    throw Error(ErrorCode::failed_precondition, what);
  }
  return {nullptr, "", {what + ": no source is recorded"}};
}

}  // namespace

std::optional<CapturedSource> capture_source(const SourceOptions& options) {
  if (options.no_git) return std::nullopt;
  const std::string directory = options.directory.empty() ? "." : options.directory;
  const auto repository = GitRepository::find(directory);
  if (!repository) {
    if (options.directory.empty() && !options.require_clean) return std::nullopt;
    throw Error(ErrorCode::not_found, directory + " stands in no git repository");
  }
  const GitCommitHandle commit = repository->find_head();
  return commit ? capture(*repository, commit.get(), options)
                : capture_nothing(*repository, options);
}

}  // namespace mendel::cli
