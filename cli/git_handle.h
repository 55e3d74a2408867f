#pragma once

#include <git2.h>

#include <memory>
#include <string>

namespace mendel::cli {

// libgit2's things, owned. Included by the files named git_*.cc alone.
template <auto release>
struct GitRelease {
  template <typename Thing>
  void operator()(Thing* thing) const {
    release(thing);
  }
};

template <typename Thing, auto release>
using GitHandle = std::unique_ptr<Thing, GitRelease<release>>;

using GitRepositoryHandle = GitHandle<git_repository, git_repository_free>;
using GitReferenceHandle = GitHandle<git_reference, git_reference_free>;
using GitRemoteHandle = GitHandle<git_remote, git_remote_free>;
using GitObjectHandle = GitHandle<git_object, git_object_free>;
using GitCommitHandle = GitHandle<git_commit, git_commit_free>;
using GitTreeHandle = GitHandle<git_tree, git_tree_free>;
using GitIndexHandle = GitHandle<git_index, git_index_free>;
using GitDiffHandle = GitHandle<git_diff, git_diff_free>;
using GitPatchHandle = GitHandle<git_patch, git_patch_free>;

// Throws what libgit2 says of a code below 0.
void check_git(int code, const std::string& doing);

// libgit2's last message.
std::string git_message();

// As text that JSON can carry: git does not say in which encoding names and paths are.
std::string as_utf8(const char* text);

}  // namespace mendel::cli
