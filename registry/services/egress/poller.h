#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <stop_token>
#include <string>
#include <thread>

#include "registry/services/change_feed.h"
#include "registry/services/egress/git_remotes.h"
#include "registry/services/egress/moved_refs.h"
#include "schema/database.h"
#include "schema/polls.h"
#include "storage/base/clock.h"

namespace mendel::registry {

// Looks at repositories that triggers listen to where no hook tells of them: every so
// often, after failures less and less, down to once an hour. A branch or tag that moved is
// an event in the transaction that remembers it, so that each move counts once; what is
// seen first is what there was. Several servers share the work: whoever looks has claimed
// it, and a claim of a server that died ends by itself. Started and stopped by its owner.
class Poller {
 public:
  Poller(schema::Database& database, ChangeFeed& changes, GitRemotes& remotes,
         const Clock& clock, std::chrono::seconds period)
      : database_(database),
        changes_(changes),
        remotes_(remotes),
        clock_(clock),
        period_(period) {}

  void start();
  void stop();

  // What the threads do, once: whether there was a repository to look at.
  bool look_at_one();
  void follow_triggers();

 private:
  // One host that does not answer holds one of them.
  static constexpr std::size_t kThreads = 3;

  void run(std::stop_token stop, bool follows);
  void look_at(const schema::PollRow& row, const std::string& claim);
  std::optional<std::vector<std::string>> changed_paths(const schema::PollRow& row,
                                                        const MovedRef& move);
  std::chrono::seconds pause_after(std::int32_t failures) const;

  schema::Database& database_;
  ChangeFeed& changes_;
  GitRemotes& remotes_;
  const Clock& clock_;
  const std::chrono::seconds period_;
  std::atomic<bool> away_{false};  // PostgreSQL was not to be had: told once
  std::array<std::jthread, kThreads> threads_;
};

}  // namespace mendel::registry
