#include "cli/agent/work_directory.h"

#include <fmt/core.h>

#include <algorithm>

namespace mendel::cli {

namespace {

namespace fs = std::filesystem;

std::vector<fs::path> entries_of(const fs::path& directory) {
  std::vector<fs::path> entries;
  if (!fs::exists(directory)) return entries;
  for (const auto& entry : fs::directory_iterator(directory)) {
    entries.push_back(entry.path());
  }
  return entries;
}

// What cannot be removed is no reason to stop: it is tried again with the next job.
void discard(const fs::path& directory) {
  std::error_code problem;
  fs::remove_all(directory, problem);
  if (problem) {
    fmt::print(stderr, "mendel: cannot remove {}: {}\n", directory.string(),
               problem.message());
  }
}

}  // namespace

WorkDirectory WorkDirectory::open(const fs::path& directory, std::size_t keep_failed) {
  fs::create_directories(directory);
  fs::permissions(directory, fs::perms::owner_all);
  const fs::path real = fs::canonical(directory);
  auto lock = FileLock::acquire(real / "agent.lock", std::chrono::milliseconds(0));
  if (!lock) {
    throw Error(ErrorCode::already_exists, "another agent works in " + real.string());
  }
  fs::create_directories(real / "jobs");
  return {real, keep_failed, std::move(lock)};
}

AttemptFiles WorkDirectory::files_of(const AttemptState& state) const {
  return AttemptFiles(jobs() / state.key());
}

std::vector<AttemptState> WorkDirectory::unfinished() const {
  std::vector<AttemptState> found;
  for (const fs::path& entry : entries_of(jobs())) {
    try {
      if (auto state = AttemptState::find(AttemptFiles(entry))) {
        found.push_back(std::move(*state));
      } else {
        discard(entry);  // its lease was never written down, and so will end
      }
    } catch (const Error& error) {
      fmt::print(stderr, "mendel: {}; it is left alone\n", error.what());
    }
  }
  return found;
}

void WorkDirectory::remove(const AttemptFiles& files) const { discard(files.directory()); }

void WorkDirectory::keep(const AttemptFiles& files) const {
  if (keep_failed_ == 0) return remove(files);
  std::error_code problem;
  for (const fs::path& secret : {files.state(), files.environment()}) {
    fs::remove(secret, problem);
  }
  fs::create_directories(failed(), problem);
  fs::rename(files.directory(), failed() / files.directory().filename(), problem);
  if (problem) return remove(files);
  drop_the_oldest();
}

void WorkDirectory::drop_the_oldest() const {
  auto kept = entries_of(failed());
  std::ranges::sort(kept, {}, [](const fs::path& entry) {
    std::error_code ignored;
    return fs::last_write_time(entry, ignored);
  });
  for (std::size_t i = 0; i + keep_failed_ < kept.size(); ++i) discard(kept[i]);
}

}  // namespace mendel::cli
