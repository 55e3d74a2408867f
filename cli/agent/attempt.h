#pragma once

#include <functional>

#include "cli/agent/attempt_state.h"
#include "cli/agent/job_log.h"
#include "cli/agent/lease_keeper.h"
#include "cli/agent/runner.h"

namespace mendel::cli {

// How an attempt came to its end here.
struct AttemptOutcome {
  std::string status;   // succeeded, failed, cancelled; "lost": it is ours no more
  std::string reason;   // but for success
  std::string version;  // that was made
  bool was_disk_full = false;
};

// Takes an attempt through its phases, from wherever it is, until the server knows how it
// ended. Whatever happens to this process, another goes on from the same state; the command
// is run once. For one thread.
class Attempt {
 public:
  // access has the attempt's own token. measures_here: the runner's commands run on this
  // machine.
  Attempt(AttemptState state, AttemptFiles files, const ServerAccess& access,
          Runner& runner, bool measures_here);

  // Throws cancelled where this process is to end: the command goes on.
  AttemptOutcome run();

 private:
  struct Watched;

  void work();
  void lay_out_here();
  void start();
  void watch();
  void publish();
  void finish();

  Task task() const;
  void look_at(Watched& watched);
  void come_to_an_end(const TaskStatus& status, Watched& watched);
  void end_command();

  void enter(Phase phase);
  void end_as(const std::string& status, const std::string& reason);
  void guard(const std::function<void()>& step);
  void persist(const std::function<void()>& request);
  void best_effort(const char* otherwise, const std::function<void()>& request);
  bool is_over_time() const;

  AttemptState state_;
  const AttemptFiles files_;
  const ServerAccess access_;
  Runner& runner_;
  const bool measures_here_;
  const bool was_found_running_;
  bool is_run_started_;
  ApiClient server_;
  LeaseKeeper lease_;
  JobLog log_;
  bool was_disk_full_ = false;
};

}  // namespace mendel::cli
