#include "cli/workspace.h"

#include <fcntl.h>

#include "storage/base/fd.h"
#include "storage/base/posix_error.h"

namespace mendel::cli {

namespace fs = std::filesystem;

namespace {

bool link(const fs::path& target, const fs::path& name) {
  std::error_code problem;
  fs::create_symlink(target, name, problem);
  if (!problem) return true;
  if (problem == std::errc::file_exists) return false;
  throw_posix_error("link", name.string(), problem.value());
}

}  // namespace

PulledVersion Workspace::add_input(ApiClient& server, const ResolvedVersion& version,
                                   const std::string& name) const {
  fs::create_directories(inputs());
  return pull_version(
      server, version,
      {.platform = {.all = true, .may_lack = false, .wanted = {}}, .only_file = ""},
      inputs() / name);
}

void Workspace::add_params(const Json& hyperparameters) const {
  write_whole_file(params(), hyperparameters.dump(2) + "\n");
}

bool Workspace::link_inputs() const { return link("../inputs", source() / "inputs"); }

bool Workspace::link_params() const {
  return link("../params.json", source() / "params.json");
}

void write_whole_file(const fs::path& path, const std::string& content) {
  const Fd file = open_file(path.string(), O_WRONLY | O_CREAT | O_TRUNC, 0666);
  write_all(file, path.string(), std::as_bytes(std::span(content)));
}

}  // namespace mendel::cli
