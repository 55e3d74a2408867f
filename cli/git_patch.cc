#include "cli/git_patch.h"

#include <filesystem>
#include <fstream>
#include <optional>

#include "cli/credential_scan.h"
#include "cli/file_digest.h"
#include "cli/output.h"
#include "storage/base/error.h"

namespace mendel::cli {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kShownMax = 10;

// Gathers what is found wrong, so that all of it is said at once.
class Credentials {
 public:
  void look_at(std::string_view line, const std::string& path, int line_number) {
    if (const auto what = find_credential(line)) add(path, line_number, *what);
  }

  void look_at_name(const std::string& path) {
    if (const auto what = find_credential_file(path)) add(path, 1, *what);
  }

  void throw_if_any() const {
    if (places_.empty()) return;
    std::string message = "the patch of the git tree would put into the version for ever:";
    for (std::size_t i = 0; i < std::min(places_.size(), kShownMax); ++i) {
      message += "\n  " + places_[i];
    }
    if (places_.size() > kShownMax) {
      message += "\n  … and " + std::to_string(places_.size() - kShownMax) + " more";
    }
    throw Error(ErrorCode::invalid_argument,
                message + "\ntake it out, or record no commit with --no-git");
  }

 private:
  void add(const std::string& path, int line_number, std::string_view what) {
    places_.push_back(printable(path) + ":" + std::to_string(line_number) +
                      ": what looks like " + std::string(what));
  }

  std::vector<std::string> places_;
};

// Takes a patch as libgit2 prints it, as far as it fits.
class PatchText {
 public:
  PatchText(GitChanges& changes, Credentials& credentials)
      : changes_(changes), credentials_(credentials) {}

  void add(git_patch* patch, const std::string& path) {
    path_ = path;
    check_git(git_patch_print(patch, add_line, this), "make the patch of " + path);
  }

  std::uint64_t size_bytes() const { return size_bytes_; }

 private:
  static int add_line(const git_diff_delta*, const git_diff_hunk*,
                      const git_diff_line* line, void* payload) {
    static_cast<PatchText*>(payload)->add(*line);
    return 0;
  }

  void add(const git_diff_line& line) {
    const std::string_view content(line.content, line.content_len);
    const char origin = line.origin;
    const bool is_text = origin == GIT_DIFF_LINE_CONTEXT ||
                         origin == GIT_DIFF_LINE_ADDITION ||
                         origin == GIT_DIFF_LINE_DELETION;
    if (is_text) {
      credentials_.look_at(content, path_, std::max(line.new_lineno, line.old_lineno));
      append(std::string_view(&origin, 1));
    }
    append(content);
  }

  void append(std::string_view text) {
    size_bytes_ += text.size();
    if (size_bytes_ <= kPatchSizeMax) changes_.patch += text;
  }

  GitChanges& changes_;
  Credentials& credentials_;
  std::string path_;
  std::uint64_t size_bytes_ = 0;
};

std::string path_of(const git_diff_delta& delta) {
  return as_utf8(delta.new_file.path != nullptr ? delta.new_file.path
                                                : delta.old_file.path);
}

// A patch has binary contents compressed, where nothing can be found.
void look_into_binary(const fs::path& file, const std::string& path,
                      Credentials& credentials) {
  std::ifstream stream(file, std::ios::binary);
  int line_number = 0;
  for (std::string line; std::getline(stream, line);) {
    credentials.look_at(line, path, ++line_number);
  }
}

// Whether a sparse checkout has left the file out.
bool is_left_out(git_index* index, const git_diff_delta& delta) {
  const git_index_entry* const entry =
      git_index_get_bypath(index, delta.old_file.path, GIT_INDEX_STAGE_NORMAL);
  return delta.status == GIT_DELTA_DELETED && entry != nullptr &&
         (entry->flags_extended & GIT_INDEX_ENTRY_SKIP_WORKTREE) != 0;
}

// Git hands files with this attribute to a program, such as git-lfs; nullopt for the rest.
std::optional<std::string> find_filter(const GitRepository& repository, const char* path) {
  const char* value = nullptr;
  const int code = git_attr_get(&value, repository.get(), GIT_ATTR_CHECK_FILE_THEN_INDEX,
                                path, "filter");
  if (code != 0 || git_attr_value(value) != GIT_ATTR_VALUE_STRING) return std::nullopt;
  return value;
}

// Whether what git keeps is a pointer of git-lfs to these contents.
bool is_lfs_pointer_to(const GitRepository& repository, const git_oid& kept,
                       const fs::path& file) {
  git_object* object = nullptr;
  if (git_object_lookup(&object, repository.get(), &kept, GIT_OBJECT_BLOB) != 0) {
    return false;
  }
  const GitObjectHandle owner(object);
  const auto* const blob = reinterpret_cast<const git_blob*>(object);
  const std::string_view pointer(static_cast<const char*>(git_blob_rawcontent(blob)),
                                 std::size_t(git_blob_rawsize(blob)));
  return pointer.starts_with("version https://git-lfs.github.com/spec/") &&
         pointer.find("oid " +
                      digest_of(open_for_reading(file), file.string()).to_string() +
                      "\n") != pointer.npos;
}

git_diff_options options_for(Untracked untracked) {
  git_diff_options options = GIT_DIFF_OPTIONS_INIT;
  options.flags =
      GIT_DIFF_SHOW_BINARY | GIT_DIFF_INCLUDE_UNTRACKED | GIT_DIFF_RECURSE_UNTRACKED_DIRS;
  if (untracked == Untracked::include) options.flags |= GIT_DIFF_SHOW_UNTRACKED_CONTENT;
  options.ignore_submodules = GIT_SUBMODULE_IGNORE_ALL;
  options.context_lines = 3;
  options.id_abbrev = GIT_OID_HEXSZ;  // `git apply` wants whole ones for binary files
  options.old_prefix = "a";           // whatever the user's diff.noprefix says
  options.new_prefix = "b";
  return options;
}

GitDiffHandle diff_with_work_tree(const GitRepository& repository, const git_commit* commit,
                                  Untracked untracked) {
  git_tree* tree = nullptr;
  check_git(git_commit_tree(&tree, commit), "read the tree of HEAD");
  const GitTreeHandle head(tree);
  const git_diff_options options = options_for(untracked);
  git_diff* diff = nullptr;
  check_git(git_diff_tree_to_workdir_with_index(&diff, repository.get(), tree, &options),
            "compare the working tree with HEAD");
  return GitDiffHandle(diff);
}

// Looks at every difference and keeps what belongs into the version.
class Reading {
 public:
  Reading(const GitRepository& repository, Untracked untracked)
      : repository_(repository),
        index_(repository.index()),
        root_(repository.path()),
        untracked_(untracked) {}

  GitChanges read(git_diff* diff) {
    require_size(diff);
    for (std::size_t i = 0; i < git_diff_num_deltas(diff); ++i) add(diff, i);
    credentials_.throw_if_any();
    if (text_.size_bytes() > kPatchSizeMax) {
      throw Error(ErrorCode::too_large,
                  "the patch of the git tree has " + format_size(text_.size_bytes()) +
                      ", and " + format_size(kPatchSizeMax) + " is the most; " + kWayOn);
    }
    return std::move(changes_);
  }

 private:
  static constexpr const char* kWayOn =
      "commit what is large, or leave it to .gitignore, or record no commit with --no-git";

  bool is_listed_only(const git_diff_delta& delta) const {
    return delta.status == GIT_DELTA_UNTRACKED &&
           (untracked_ == Untracked::list || path_of(delta).ends_with('/'));
  }

  void require_size(git_diff* diff) const {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < git_diff_num_deltas(diff); ++i) {
      const git_diff_delta& delta = *git_diff_get_delta(diff, i);
      if (!is_listed_only(delta)) sum += delta.old_file.size + size_on_disk(delta);
    }
    if (sum > kChangedSizeMax) {
      throw Error(ErrorCode::too_large,
                  "the changed files of the git tree have " + format_size(sum) +
                      " before and after, and " + format_size(kChangedSizeMax) +
                      " is the most that is made a patch of; " + kWayOn);
    }
  }

  fs::path file_of(const git_diff_delta& delta) const {
    return root_ / fs::path(delta.new_file.path);
  }

  std::uint64_t size_on_disk(const git_diff_delta& delta) const {
    std::error_code absent;
    const fs::file_status status = fs::symlink_status(file_of(delta), absent);
    return fs::is_regular_file(status) ? fs::file_size(file_of(delta), absent) : 0;
  }

  void add(git_diff* diff, std::size_t position) {
    const git_diff_delta& delta = *git_diff_get_delta(diff, position);
    if (delta.status == GIT_DELTA_CONFLICTED) {
      throw Error(
          ErrorCode::failed_precondition,
          "the git tree is in the middle of a merge: " + path_of(delta) + " has conflicts");
    }
    if (is_left_out(index_.get(), delta)) return;
    if (is_listed_only(delta)) return list(delta);
    if (is_unchanged_behind_its_filter(delta)) return;
    add_to_patch(diff, position, path_of(delta));
  }

  bool is_unchanged_behind_its_filter(const git_diff_delta& delta) const {
    if (delta.status != GIT_DELTA_MODIFIED && delta.status != GIT_DELTA_ADDED) return false;
    const auto filter = find_filter(repository_, delta.new_file.path);
    if (!filter) return false;
    if (is_lfs_pointer_to(repository_, delta.old_file.id, file_of(delta))) return true;
    throw Error(ErrorCode::failed_precondition,
                path_of(delta) + " has changed, and its contents go through the filter '" +
                    as_utf8(filter->c_str()) +
                    "', which is not run here: commit it, or record no commit with "
                    "--no-git");
  }

  void list(const git_diff_delta& delta) {
    if (changes_.untracked.size() == kUntrackedListedMax) {
      ++changes_.untracked_omitted;
    } else {
      changes_.untracked.push_back({path_of(delta), size_on_disk(delta)});
    }
  }

  void add_to_patch(git_diff* diff, std::size_t position, const std::string& path) {
    git_patch* made = nullptr;
    check_git(git_patch_from_diff(&made, diff, position), "compare " + path);
    const GitPatchHandle patch(made);
    const git_diff_delta& delta = *git_diff_get_delta(diff, position);
    const std::uint64_t before = text_.size_bytes();
    if (made != nullptr) text_.add(made, path);
    if (text_.size_bytes() == before) return;  // touched, and the same as it was
    changes_.changed.push_back(path);
    credentials_.look_at_name(path);
    if ((delta.flags & GIT_DIFF_FLAG_BINARY) != 0) {
      look_into_binary(file_of(delta), path, credentials_);
    }
  }

  const GitRepository& repository_;
  const GitIndexHandle index_;
  const fs::path root_;
  const Untracked untracked_;
  GitChanges changes_;
  Credentials credentials_;
  PatchText text_{changes_, credentials_};
};

}  // namespace

GitChanges read_changes(const GitRepository& repository, const git_commit* commit,
                        Untracked untracked) {
  const GitDiffHandle diff = diff_with_work_tree(repository, commit, untracked);
  return Reading(repository, untracked).read(diff.get());
}

}  // namespace mendel::cli
