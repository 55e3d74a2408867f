#include "registry/http/workers.h"

#include <utility>

namespace mendel::registry::http {

Workers::Workers(Options options) : queue_max_(options.queue_max) {
  for (std::size_t i = 0; i < options.threads; ++i)
    threads_.emplace_back([this] { work(); });
}

Workers::~Workers() { stop(); }

bool Workers::submit(std::function<void()> job) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || submitted_ >= queue_max_) return false;
    queue_.push_back({std::move(job), true});
    ++submitted_;
  }
  changed_.notify_one();
  return true;
}

void Workers::resume(std::function<void()> job) {
  {
    const std::lock_guard lock(mutex_);
    if (!stopping_) queue_.push_back({std::exchange(job, nullptr), false});
  }
  if (job) return job();
  changed_.notify_one();
}

void Workers::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  threads_.clear();
}

std::size_t Workers::waiting() const {
  const std::lock_guard lock(mutex_);
  return queue_.size();
}

void Workers::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (queue_.empty()) return;
    Entry entry = std::move(queue_.front());
    queue_.pop_front();
    if (entry.submitted) --submitted_;

    lock.unlock();
    entry.job();
    entry.job = nullptr;
    lock.lock();
  }
}

}  // namespace mendel::registry::http
