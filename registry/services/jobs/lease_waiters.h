#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "registry/services/change_feed.h"

namespace mendel::registry {

// Those who wait for a job of some queue, on this server. What the change feed says of a
// queue (queue_topic()) wakes one of them: who has waited longest. It may stand for several
// jobs; so whoever is woken and finds one wakes the next. Any thread.
class LeaseWaiters {
 public:
  explicit LeaseWaiters(ChangeFeed& changes);  // which has not started, and is outlived

  // To be taken before one looks for a job, so that none is missed that comes between.
  std::uint64_t ticket() const;

  // A place at the end of a queue, until it is let go of. wake is called at most once,
  // perhaps before this returns, and neither blocks nor calls back.
  using Place = std::shared_ptr<void>;
  Place wait(const std::string& queue, std::uint64_t ticket, std::function<void()> wake);

  void wake_next(std::string_view queue);

 private:
  class State;
  const std::shared_ptr<State> state_;
};

}  // namespace mendel::registry
