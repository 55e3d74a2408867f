#include "cli/git_log.h"

#include <git2.h>

#include "cli/git_handle.h"
#include "cli/git_repository.h"
#include "storage/base/error.h"

namespace mendel::cli {

namespace {

using GitWalkHandle = GitHandle<git_revwalk, git_revwalk_free>;

std::optional<git_oid> find_commit(const GitRepository& repository,
                                   const std::string& hex) {
  git_oid id;
  git_commit* commit = nullptr;
  if (git_oid_fromstr(&id, hex.c_str()) != 0) return std::nullopt;
  if (git_commit_lookup(&commit, repository.get(), &id) != 0) return std::nullopt;
  const GitCommitHandle handle(commit);
  return id;
}

GitLogEntry entry_of(const GitRepository& repository, const git_oid& id) {
  git_commit* commit = nullptr;
  check_git(git_commit_lookup(&commit, repository.get(), &id), "read a commit");
  const GitCommitHandle handle(commit);
  const char* const summary = git_commit_summary(commit);
  std::string hex(GIT_OID_HEXSZ, '\0');
  git_oid_fmt(hex.data(), &id);
  return {hex, as_utf8(summary == nullptr ? "" : summary)};
}

// In the history of one commit and not in the other's.
std::vector<GitLogEntry> list_beyond(const GitRepository& repository, const git_oid& from,
                                     const git_oid& hidden) {
  git_revwalk* walk = nullptr;
  check_git(git_revwalk_new(&walk, repository.get()), "walk through commits");
  const GitWalkHandle handle(walk);
  git_revwalk_sorting(walk, GIT_SORT_TOPOLOGICAL | GIT_SORT_TIME);
  check_git(git_revwalk_push(walk, &from), "walk through commits");
  check_git(git_revwalk_hide(walk, &hidden), "walk through commits");
  std::vector<GitLogEntry> entries;
  git_oid id;
  while (entries.size() < kGitLogMax && git_revwalk_next(&id, walk) == 0) {
    entries.push_back(entry_of(repository, id));
  }
  return entries;
}

std::optional<GitRepository> find_readable(const std::string& directory) {
  try {
    return GitRepository::find(directory);
  } catch (const Error&) {
    return std::nullopt;  // the log is an extra: without it the versions are still compared
  }
}

}  // namespace

std::optional<GitLog> find_commits_between(const std::string& directory,
                                           const std::string& older,
                                           const std::string& newer) {
  const auto repository = find_readable(directory);
  if (!repository) return std::nullopt;
  const auto older_id = find_commit(*repository, older);
  const auto newer_id = find_commit(*repository, newer);
  if (!older_id || !newer_id) return std::nullopt;
  return GitLog{list_beyond(*repository, *newer_id, *older_id),
                list_beyond(*repository, *older_id, *newer_id)};
}

}  // namespace mendel::cli
