#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/git_handle.h"

namespace mendel::cli {

struct GitSubmodule {
  std::string path;
  std::string commit;       // that is checked out, or else the one that is recorded
  bool is_moved = false;    // to another commit than HEAD has
  bool is_changed = false;  // its own files are
};

// A repository, to be read. Runs nothing: no hook, no filter, no other program; and writes
// nothing, the index included.
class GitRepository {
 public:
  // The one that the directory stands in; nullopt if it stands in none. Throws
  // permission_denied for one of another user, which git distrusts, too, and
  // invalid_argument for one that libgit2 cannot read, such as one with SHA-256 names.
  static std::optional<GitRepository> find(const std::string& directory);

  git_repository* get() const { return handle_.get(); }
  std::string path() const;
  bool is_bare() const { return git_repository_is_bare(get()) == 1; }
  bool is_shallow() const { return git_repository_is_shallow(get()) == 1; }

  GitIndexHandle index() const;
  GitCommitHandle find_head() const;               // null if there is no commit yet
  std::optional<std::string> find_branch() const;  // nullopt if HEAD is detached
  std::vector<std::string> tags_at(const git_oid& commit) const;
  std::vector<GitSubmodule> submodules() const;

  // Of origin, or else the only one, or else of the branch's upstream; as it is configured,
  // without credentials.
  std::optional<std::string> find_remote_url() const;

 private:
  explicit GitRepository(GitRepositoryHandle handle) : handle_(std::move(handle)) {}
  std::optional<std::string> find_remote_name() const;

  GitRepositoryHandle handle_;
};

// A URL without what lets anyone in: https loses user, password and query, ssh the
// password.
std::string without_credentials(const std::string& url);

}  // namespace mendel::cli
