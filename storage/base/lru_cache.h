#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>

namespace mendel {

// Remembers shared, immutable values by key up to a total cost (bytes, or a count), and drops
// the least recently used beyond it. A value that costs more than half of that is not kept.
// Any thread.
template <class Key, class Value>
class LruCache {
 public:
  explicit LruCache(std::size_t cost_max) : cost_max_(cost_max) {}

  std::shared_ptr<const Value> find(const Key& key) {
    const std::lock_guard lock(mutex_);
    const auto found = by_key_.find(key);
    if (found == by_key_.end()) return nullptr;
    by_use_.splice(by_use_.begin(), by_use_, found->second);
    return found->second->value;
  }

  // Replaces what is remembered under key.
  void insert(const Key& key, std::shared_ptr<const Value> value, std::size_t cost) {
    if (cost > cost_max_ / 2) return;
    const std::lock_guard lock(mutex_);
    if (const auto found = by_key_.find(key); found != by_key_.end()) drop(found->second);
    by_use_.push_front({key, std::move(value), cost});
    by_key_.emplace(key, by_use_.begin());
    cost_ += cost;
    while (cost_ > cost_max_) drop(std::prev(by_use_.end()));
  }

 private:
  struct Entry {
    Key key;
    std::shared_ptr<const Value> value;
    std::size_t cost;
  };
  using ByUse = std::list<Entry>;

  void drop(typename ByUse::iterator entry) {
    cost_ -= entry->cost;
    by_key_.erase(entry->key);
    by_use_.erase(entry);
  }

  const std::size_t cost_max_;
  std::mutex mutex_;
  std::size_t cost_ = 0;
  ByUse by_use_;
  std::unordered_map<Key, typename ByUse::iterator> by_key_;
};

}  // namespace mendel
