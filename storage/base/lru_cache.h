#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>

namespace mendel {

// Values kept in memory by key and shared with those who use them, the least recently used
// dropped beyond cost_max. What an entry counts for is said when it is put in. Any thread;
// a lock is held for a look-up only, so an I/O thread may ask.
template <class Key, class Value, class Hash = std::hash<Key>>
class LruCache {
 public:
  explicit LruCache(std::size_t cost_max) : cost_max_(cost_max) {}

  // nullptr: not here (any more).
  std::shared_ptr<Value> find(const Key& key) {
    const std::lock_guard lock(mutex_);
    const auto known = by_key_.find(key);
    if (known == by_key_.end()) return nullptr;
    by_use_.splice(by_use_.begin(), by_use_, known->second);
    return known->second->value;
  }

  // The same, and it is here no more.
  std::shared_ptr<Value> take(const Key& key) {
    const std::lock_guard lock(mutex_);
    const auto known = by_key_.find(key);
    if (known == by_key_.end()) return nullptr;
    auto value = std::move(known->second->value);
    drop(known->second);
    return value;
  }

  // Replaces what was there.
  void put(const Key& key, std::shared_ptr<Value> value, std::size_t cost) {
    const std::lock_guard lock(mutex_);
    if (const auto known = by_key_.find(key); known != by_key_.end()) drop(known->second);
    by_use_.push_front({key, std::move(value), cost});
    by_key_.emplace(key, by_use_.begin());
    cost_ += cost;
    while (cost_ > cost_max_) drop(std::prev(by_use_.end()));
  }

  // Forgetting what is not here succeeds.
  void erase(const Key& key) {
    const std::lock_guard lock(mutex_);
    if (const auto known = by_key_.find(key); known != by_key_.end()) drop(known->second);
  }

  void clear() {
    const std::lock_guard lock(mutex_);
    by_key_.clear();
    by_use_.clear();
    cost_ = 0;
  }

 private:
  struct Entry {
    Key key;
    std::shared_ptr<Value> value;
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
  std::unordered_map<Key, typename ByUse::iterator, Hash> by_key_;
};

}  // namespace mendel
