#pragma once

#include <memory>
#include <vector>

#include "cli/agent/attempt_state.h"
#include "cli/file_lock.h"

namespace mendel::cli {

// Where one agent works: attempt_files.h says what lies in it. Any thread.
class WorkDirectory {
 public:
  // Throws already_exists if another agent works there.
  static WorkDirectory open(const std::filesystem::path& directory,
                            std::size_t keep_failed);

  AttemptFiles files_of(const AttemptState& state) const;

  // The attempts that an agent before us had begun. What makes no sense is named on
  // standard error and left alone.
  std::vector<AttemptState> unfinished() const;

  // Of an attempt that is over. The last few that failed are kept, below failed/, for
  // people to look at, without what is secret.
  void remove(const AttemptFiles& files) const;
  void keep(const AttemptFiles& files) const;

 private:
  WorkDirectory(std::filesystem::path directory, std::size_t keep_failed,
                std::unique_ptr<FileLock> lock)
      : directory_(std::move(directory)),
        keep_failed_(keep_failed),
        lock_(std::move(lock)) {}

  std::filesystem::path jobs() const { return directory_ / "jobs"; }
  std::filesystem::path failed() const { return directory_ / "failed"; }
  void drop_the_oldest() const;

  std::filesystem::path directory_;
  std::size_t keep_failed_;
  std::unique_ptr<FileLock> lock_;
};

}  // namespace mendel::cli
