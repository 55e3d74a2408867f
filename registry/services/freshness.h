#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>

namespace mendel::registry {

// Tells whether something read from the database at one moment may still be believed at
// another, per id. A reader notes the moment before it reads; a writer invalidates after it
// committed. What was noted before an invalidation of its id is stale, so a read that raced
// with a write is never believed. Any thread.
class Freshness {
 public:
  using Moment = std::uint64_t;

  Moment now() const { return counter_.load(); }

  void invalidate(std::int64_t id) {
    const std::unique_lock lock(mutex_);
    if (invalidated_.size() >= kIdsMax) forget_all();
    invalidated_[id] = ++counter_;
  }

  void invalidate_all() {
    const std::unique_lock lock(mutex_);
    forget_all();
  }

  bool still_valid(std::int64_t id, Moment noted) const {
    const std::shared_lock lock(mutex_);
    if (noted < all_invalidated_) return false;
    const auto found = invalidated_.find(id);
    return found == invalidated_.end() || noted >= found->second;
  }

 private:
  static constexpr std::size_t kIdsMax = 100'000;

  void forget_all() {
    invalidated_.clear();
    all_invalidated_ = ++counter_;
  }

  mutable std::shared_mutex mutex_;
  std::atomic<Moment> counter_{0};
  Moment all_invalidated_ = 0;
  std::unordered_map<std::int64_t, Moment> invalidated_;
};

}  // namespace mendel::registry
