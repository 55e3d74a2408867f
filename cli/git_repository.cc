#include "cli/git_repository.h"

#include <algorithm>

#include "storage/base/error.h"

namespace mendel::cli {

namespace {

// Says once what libgit2 may take for granted, and closes it down at the end.
class Library {
 public:
  Library() {
    git_libgit2_init();
    // What these two change does not matter to who only reads.
    const char* known[] = {"worktreeconfig", "partialclone"};
    git_libgit2_opts(GIT_OPT_SET_EXTENSIONS, known, std::size(known));
  }
  ~Library() { git_libgit2_shutdown(); }
};

[[noreturn]] void refuse_repository(int code, const std::string& directory) {
  const std::string message = git_message();
  // libgit2 1.5 says GIT_ENOTFOUND of what it distrusts where nothing is configured.
  if (code == GIT_EOWNER || code == GIT_ENOTFOUND) {
    throw Error(ErrorCode::permission_denied,
                "the git repository at " + directory +
                    " belongs to somebody else, so git does not trust it (" + message +
                    "); 'git config --global --add safe.directory DIRECTORY' says that you "
                    "do, and --no-git records no commit");
  }
  throw Error(ErrorCode::invalid_argument,
              "the git repository at " + directory + " cannot be read (" + message +
                  "); repositories with SHA-256 names are not supported; --no-git records "
                  "no commit");
}

struct TagSearch {
  git_repository* repository;
  const git_oid* commit;
  std::vector<std::string> names;
};

int add_tag(const char* name, git_oid* target, void* payload) {
  constexpr std::string_view kPrefix = "refs/tags/";
  auto& search = *static_cast<TagSearch*>(payload);
  git_object* object = nullptr;
  if (git_object_lookup(&object, search.repository, target, GIT_OBJECT_ANY) != 0) return 0;
  const GitObjectHandle tagged(object);
  git_object* peeled = nullptr;
  if (git_object_peel(&peeled, tagged.get(), GIT_OBJECT_COMMIT) != 0) return 0;
  const GitObjectHandle commit(peeled);
  if (git_oid_equal(git_object_id(commit.get()), search.commit)) {
    search.names.push_back(as_utf8(name).substr(kPrefix.size()));
  }
  return 0;
}

struct SubmoduleSearch {
  git_repository* repository;
  std::vector<GitSubmodule> found;
};

int add_submodule(git_submodule* submodule, const char* name, void* payload) {
  constexpr unsigned kMoved = GIT_SUBMODULE_STATUS_WD_MODIFIED |
                              GIT_SUBMODULE_STATUS_INDEX_MODIFIED |
                              GIT_SUBMODULE_STATUS_INDEX_ADDED;
  constexpr unsigned kChanged =
      GIT_SUBMODULE_STATUS_WD_INDEX_MODIFIED | GIT_SUBMODULE_STATUS_WD_WD_MODIFIED;
  auto& search = *static_cast<SubmoduleSearch*>(payload);
  const git_oid* commit = git_submodule_wd_id(submodule);
  if (commit == nullptr) commit = git_submodule_index_id(submodule);
  if (commit == nullptr) commit = git_submodule_head_id(submodule);
  if (commit == nullptr) return 0;  // it stands in .gitmodules alone
  unsigned status = 0;
  git_submodule_status(&status, search.repository, name, GIT_SUBMODULE_IGNORE_NONE);
  search.found.push_back({as_utf8(git_submodule_path(submodule)), git_oid_tostr_s(commit),
                          (status & kMoved) != 0, (status & kChanged) != 0});
  return 0;
}

std::size_t find_authority_end(const std::string& url, std::size_t begin) {
  return std::min(url.find_first_of("/?#", begin), url.size());
}

}  // namespace

std::optional<GitRepository> GitRepository::find(const std::string& directory) {
  static const Library library;
  git_buf place = GIT_BUF_INIT;
  constexpr int kAcrossFileSystems = 0;
  const int absent =
      git_repository_discover(&place, directory.c_str(), kAcrossFileSystems, nullptr);
  git_buf_dispose(&place);
  if (absent == GIT_ENOTFOUND) return std::nullopt;

  git_repository* repository = nullptr;
  const int code = git_repository_open_ext(&repository, directory.c_str(), 0, nullptr);
  if (code < 0) refuse_repository(code, directory);
  return GitRepository(GitRepositoryHandle(repository));
}

std::string GitRepository::path() const {
  const char* const work_tree = git_repository_workdir(get());
  return work_tree == nullptr ? git_repository_path(get()) : work_tree;
}

GitIndexHandle GitRepository::index() const {
  git_index* index = nullptr;
  check_git(git_repository_index(&index, get()), "read the index");
  return GitIndexHandle(index);
}

GitCommitHandle GitRepository::find_head() const {
  git_object* object = nullptr;
  const int code = git_revparse_single(&object, get(), "HEAD^{commit}");
  if (code == GIT_ENOTFOUND || code == GIT_EUNBORNBRANCH) return nullptr;
  check_git(code, "find HEAD");
  return GitCommitHandle(reinterpret_cast<git_commit*>(object));
}

std::optional<std::string> GitRepository::find_branch() const {
  git_reference* reference = nullptr;
  if (git_repository_head_detached(get()) == 1) return std::nullopt;
  if (git_repository_head(&reference, get()) != 0) return std::nullopt;
  const GitReferenceHandle head(reference);
  return as_utf8(git_reference_shorthand(head.get()));
}

std::vector<std::string> GitRepository::tags_at(const git_oid& commit) const {
  TagSearch search{get(), &commit, {}};
  check_git(git_tag_foreach(get(), add_tag, &search), "list the tags");
  std::ranges::sort(search.names);
  return std::move(search.names);
}

std::vector<GitSubmodule> GitRepository::submodules() const {
  SubmoduleSearch search{get(), {}};
  if (is_bare()) return {};
  check_git(git_submodule_foreach(get(), add_submodule, &search), "list the submodules");
  std::ranges::sort(search.found, {}, &GitSubmodule::path);
  return std::move(search.found);
}

std::optional<std::string> GitRepository::find_remote_name() const {
  git_strarray names{};
  check_git(git_remote_list(&names, get()), "list the remotes");
  const std::vector<std::string> remotes(names.strings, names.strings + names.count);
  git_strarray_dispose(&names);
  if (std::ranges::find(remotes, "origin") != remotes.end()) return "origin";
  if (remotes.size() == 1) return remotes.front();
  git_reference* reference = nullptr;
  if (git_repository_head(&reference, get()) != 0) return std::nullopt;
  const GitReferenceHandle head(reference);
  git_buf upstream = GIT_BUF_INIT;
  const int code =
      git_branch_upstream_remote(&upstream, get(), git_reference_name(head.get()));
  if (code != 0) return std::nullopt;
  std::string name(upstream.ptr, upstream.size);
  git_buf_dispose(&upstream);
  return name;
}

std::optional<std::string> GitRepository::find_remote_url() const {
  const auto name = find_remote_name();
  git_remote* found = nullptr;
  if (!name || git_remote_lookup(&found, get(), name->c_str()) != 0) return std::nullopt;
  const GitRemoteHandle remote(found);
  const char* const url = git_remote_url(remote.get());
  if (url == nullptr) return std::nullopt;
  return without_credentials(as_utf8(url));
}

std::string without_credentials(const std::string& url) {
  const auto scheme_end = url.find("://");
  if (scheme_end == url.npos) return url;  // a path, or git@host:path
  const std::size_t begin = scheme_end + 3;
  const std::size_t end = find_authority_end(url, begin);
  std::string authority = url.substr(begin, end - begin);
  std::string path = url.substr(end);
  const auto at = authority.rfind('@');
  if (url.starts_with("ssh://") || url.starts_with("git+ssh://")) {
    const auto colon = authority.find(':');
    if (at != authority.npos && colon < at) authority.erase(colon, at - colon);
  } else {
    if (at != authority.npos) authority.erase(0, at + 1);
    if (url.starts_with("http")) path = path.substr(0, path.find_first_of("?#"));
  }
  return url.substr(0, begin) + authority + path;
}

}  // namespace mendel::cli
