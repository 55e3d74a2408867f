#include "registry/services/jobs/lease_waiters.h"

#include <list>
#include <map>
#include <mutex>
#include <utility>

#include "registry/services/jobs/admission.h"

namespace mendel::registry {

namespace {

struct Waiter {
  std::string queue;
  std::function<void()> wake;
  std::list<Waiter*>::iterator place{};
  bool is_listed = false;
};

}  // namespace

class LeaseWaiters::State {
 public:
  std::uint64_t announced() const {
    const std::lock_guard lock(mutex_);
    return announced_;
  }

  void enter(Waiter& waiter, std::uint64_t ticket) {
    const std::lock_guard lock(mutex_);
    if (ticket != announced_) return waiter.wake();
    auto& queue = queues_[waiter.queue];
    waiter.place = queue.insert(queue.end(), &waiter);
    waiter.is_listed = true;
  }

  void leave(Waiter& waiter) {
    const std::lock_guard lock(mutex_);
    if (waiter.is_listed) remove(queues_.find(waiter.queue), waiter);
  }

  void wake_next(std::string_view queue) {
    const std::lock_guard lock(mutex_);
    ++announced_;
    if (const auto found = queues_.find(queue); found != queues_.end()) wake_first(found);
  }

  // Nobody knows which queue it was.
  void wake_next_of_each() {
    const std::lock_guard lock(mutex_);
    ++announced_;
    for (auto queue = queues_.begin(); queue != queues_.end();)
      wake_first(std::exchange(queue, std::next(queue)));
  }

 private:
  using Queues = std::map<std::string, std::list<Waiter*>, std::less<>>;

  void wake_first(Queues::iterator queue) {
    Waiter& waiter = *queue->second.front();
    remove(queue, waiter);
    waiter.wake();
  }

  void remove(Queues::iterator queue, Waiter& waiter) {
    queue->second.erase(waiter.place);
    waiter.is_listed = false;
    if (queue->second.empty()) queues_.erase(queue);
  }

  mutable std::mutex mutex_;
  std::uint64_t announced_ = 0;
  Queues queues_;  // none is empty
};

LeaseWaiters::LeaseWaiters(ChangeFeed& changes) : state_(std::make_shared<State>()) {
  changes.listen([state = state_](std::string_view topic) {
    if (topic.empty()) return state->wake_next_of_each();
    if (const auto queue = queue_of_topic(topic)) state->wake_next(*queue);
  });
}

std::uint64_t LeaseWaiters::ticket() const { return state_->announced(); }

LeaseWaiters::Place LeaseWaiters::wait(const std::string& queue, std::uint64_t ticket,
                                       std::function<void()> wake) {
  std::shared_ptr<Waiter> waiter(new Waiter{.queue = queue, .wake = std::move(wake)},
                                 [state = state_](Waiter* leaving) {
                                   state->leave(*leaving);
                                   delete leaving;
                                 });
  state_->enter(*waiter, ticket);
  return waiter;
}

void LeaseWaiters::wake_next(std::string_view queue) { state_->wake_next(queue); }

}  // namespace mendel::registry
