#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "storage/base/error.h"

namespace mendel::registry {

// Group commit: of the threads that come with an item for one key, the first does the work
// of all that wait at that moment. Those who come meanwhile wait, and the first of them
// leads the next group. A lone caller waits for nobody. Any thread.
template <class Key, class Item>
class GroupWork {
 public:
  using Group = std::span<Item* const>;

  // Returns when the item's group was worked on; throws what the work threw, as all of the
  // group do. fits(group, next) says whether next may still join; work(group) is called by
  // the one that leads.
  template <class Fits, class Work>
  void join(const Key& key, Item& item, Fits fits, Work work) {
    Waiting mine{&item};
    if (lead_or_wait(key, mine)) {
      std::vector<Item*> items{&item};
      const std::vector<Waiting*> group = take(key, mine, items, fits);
      release(key, group, failure_of([&] { work(Group(items)); }));
    }
    if (mine.failure) throw Error(*mine.failure);
  }

 private:
  struct Waiting {
    Item* item;
    enum class Turn { waits, leads, done } turn = Turn::waits;
    std::optional<Error> failure{};
    std::condition_variable changed{};
  };

  bool lead_or_wait(const Key& key, Waiting& mine) {
    std::unique_lock lock(mutex_);
    const auto [queue, is_first] = queues_.try_emplace(key);
    if (is_first) return true;
    queue->second.push_back(&mine);
    mine.changed.wait(lock, [&] { return mine.turn != Waiting::Turn::waits; });
    return mine.turn == Waiting::Turn::leads;
  }

  template <class Fits>
  std::vector<Waiting*> take(const Key& key, Waiting& leader, std::vector<Item*>& items,
                             Fits& fits) {
    const std::lock_guard lock(mutex_);
    std::deque<Waiting*>& queue = queues_.at(key);
    std::vector<Waiting*> group{&leader};
    while (!queue.empty() && fits(Group(items), *queue.front()->item)) {
      items.push_back(queue.front()->item);
      group.push_back(queue.front());
      queue.pop_front();
    }
    return group;
  }

  // The one place of a service that catches: others wait for what happens here, and must
  // hear of it whatever it is.
  template <class Work>
  static std::optional<Error> failure_of(Work work) {
    try {
      work();
      return std::nullopt;
    } catch (const Error& error) {
      return error;
    } catch (const std::exception& bug) {
      return Error(ErrorCode::internal, bug.what());
    }
  }

  // An item belongs to the thread that waits with it and is gone once that thread goes on:
  // it is told under the lock.
  void release(const Key& key, std::span<Waiting* const> group,
               const std::optional<Error>& failure) {
    const std::lock_guard lock(mutex_);
    for (Waiting* const waiting : group) {
      waiting->failure = failure;
      waiting->turn = Waiting::Turn::done;
      waiting->changed.notify_one();
    }
    const auto queue = queues_.find(key);
    if (queue->second.empty()) {
      queues_.erase(queue);
      return;
    }
    Waiting* const next = queue->second.front();
    queue->second.pop_front();
    next->turn = Waiting::Turn::leads;
    next->changed.notify_one();
  }

  // A key has a queue while somebody works for it. The one who leads stands in no queue.
  std::mutex mutex_;
  std::map<Key, std::deque<Waiting*>> queues_;
};

}  // namespace mendel::registry
