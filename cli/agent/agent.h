#pragma once

#include <condition_variable>
#include <list>
#include <mutex>
#include <thread>

#include "cli/agent/attempt.h"
#include "cli/agent/work_directory.h"

namespace mendel::cli {

struct AgentSettings {
  std::string queue;
  std::string name;
  int slots = 1;
  int lease_seconds = 60;
  bool once = false;
};

// Leases jobs and takes each through its attempt, on a thread of its own, as many at a time
// as there are slots. What an agent before it had begun comes first.
class Agent {
 public:
  Agent(AgentSettings settings, ServerAccess access, Runner& runner, bool measures_here,
        WorkDirectory directory);
  ~Agent();

  // Until it is interrupted or, once, until one job is over. Then the commands that run go
  // on without it. How that one job ended; nullopt: interrupted. Throws what the server
  // answers to the first lease where asking again makes no sense.
  std::optional<AttemptOutcome> run();

 private:
  void begin(AttemptState state);
  void carry_out(const AttemptState& state);
  std::optional<Json> lease();
  void wait_for_slot();
  std::optional<AttemptOutcome> wait_for_outcome();

  const AgentSettings settings_;
  const ServerAccess access_;
  Runner& runner_;
  const bool measures_here_;
  const WorkDirectory directory_;
  ApiClient server_;
  bool was_answered_ = false;
  bool is_away_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  int busy_ = 0;
  std::optional<AttemptOutcome> outcome_;  // of the last attempt that ended
  std::list<std::jthread> threads_;
};

}  // namespace mendel::cli
