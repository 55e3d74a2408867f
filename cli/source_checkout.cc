#include "cli/source_checkout.h"

#include <fmt/format.h>

#include <fstream>

#include "cli/git_program.h"
#include "storage/base/error.h"

namespace mendel::cli {

namespace {

namespace fs = std::filesystem;

// A directory that is gone at the end.
class ScratchDirectory {
 public:
  ScratchDirectory() : path_(fs::temp_directory_path() / ("mendel-" + new_uuid())) {
    fs::create_directory(path_);
    fs::permissions(path_, fs::perms::owner_all);
  }
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
  ~ScratchDirectory() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

bool has_commit(const fs::path& directory, const std::string& commit) {
  return git_succeeds(directory, {"cat-file", "-e", commit + "^{commit}"});
}

bool is_commit(const std::string& ref) {
  return ref.size() == 40 && ref.find_first_not_of("0123456789abcdef") == ref.npos;
}

// What ls-remote says of an annotated tag itself comes before what it points at (^{}).
std::string tip_of(const std::string& repository, const std::string& ref) {
  std::vector<std::string> names = {"refs/heads/" + ref, "refs/tags/" + ref + "^{}",
                                    "refs/tags/" + ref};
  if (ref == "HEAD" || ref.starts_with("refs/")) names = {ref + "^{}", ref};
  for (const std::string& name : names) {
    const std::string line =
        run_git(fs::temp_directory_path(), {"ls-remote", "--", repository, name});
    if (line.size() > 40) return line.substr(0, 40);
  }
  throw Error(ErrorCode::not_found,
              fmt::format("{} has no branch and no tag {}", repository, ref));
}

// Many servers give a commit by its name; from others, and old ones, it comes with the
// branch or the tag that it lies on.
void fetch(const fs::path& directory, const std::string& repository,
           const std::string& commit) {
  if (git_succeeds(directory, {"fetch", "-q", "--no-tags", "--depth", "1", "--", repository,
                               commit}) &&
      has_commit(directory, commit)) {
    return;
  }
  run_git(directory, {"fetch", "-q", "--tags", "--", repository,
                      "+refs/heads/*:refs/remotes/origin/*"});
  if (!has_commit(directory, commit)) {
    throw Error(
        ErrorCode::not_found,
        fmt::format("{} has no commit {} on any branch or tag", repository, commit));
  }
}

void bring_submodules(const Json& source, const fs::path& directory) {
  for (const Json& submodule : source.value("submodules", Json::array())) {
    const auto path = submodule.at("path").get<std::string>();
    const auto commit = submodule.at("commit").get<std::string>();
    run_git(directory, {"submodule", "-q", "update", "--init", "--", path});
    if (run_git(directory / path, {"rev-parse", "HEAD"}) == commit + "\n") continue;
    run_git(directory / path, {"checkout", "-q", "--detach", commit});
  }
}

void apply(const std::string& patch, const fs::path& directory) {
  if (patch.empty()) return;
  const ScratchDirectory scratch;
  const fs::path file = scratch.path() / "patch";
  std::ofstream(file, std::ios::binary) << patch;
  run_git(directory, {"apply", "--whitespace=nowarn", "--", file.string()});
}

}  // namespace

void check_out(const Json& source, const std::string& repository, const std::string& patch,
               const fs::path& directory) {
  const auto commit = source.at("commit").get<std::string>();
  fs::create_directories(directory);
  run_git(directory, {"init", "-q"});
  fetch(directory, repository, commit);
  run_git(directory, {"checkout", "-q", "--detach", commit});
  if (!repository.empty() &&
      git_succeeds(directory, {"remote", "add", "--", "origin", repository})) {
    bring_submodules(source, directory);
  }
  apply(patch, directory);
}

std::string check_out_ref(const std::string& repository, const std::string& ref,
                          const fs::path& directory) {
  const std::string commit = is_commit(ref) ? ref : tip_of(repository, ref);
  check_out({{"commit", commit}}, repository, "", directory);
  if (fs::exists(directory / ".gitmodules")) {
    run_git(directory, {"submodule", "-q", "update", "--init", "--recursive"});
  }
  return commit;
}

std::string why_commit_is_lost(const std::string& repository, const std::string& commit) {
  const ScratchDirectory scratch;
  try {
    run_git(scratch.path(), {"init", "-q", "--bare"});
    fetch(scratch.path(), repository, commit);
    return "";
  } catch (const Error& error) {
    if (error.code() == ErrorCode::cancelled) throw;
    return error.what();
  }
}

}  // namespace mendel::cli
