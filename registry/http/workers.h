#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace mendel::registry::http {

// The threads on which everything that blocks is done. May be called from all threads.
// Jobs start in the order in which they came and must not throw.
class Workers {
 public:
  struct Options {
    std::size_t threads = 1;
    std::size_t queue_max = 1;  // submitted jobs that wait for a thread
  };

  explicit Workers(Options options);
  ~Workers();

  // New work. False: the queue is full, or stop() was called.
  [[nodiscard]] bool submit(std::function<void()> job);

  // The next part of work that was begun: never refused, since each connection has at most
  // one. After stop() it is done on the caller's thread.
  void resume(std::function<void()> job);

  // Does what is queued and returns when all threads have ended.
  void stop();

  std::size_t waiting() const;

 private:
  struct Entry {
    std::function<void()> job;
    bool submitted;
  };

  void work();

  const std::size_t queue_max_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Entry> queue_;
  std::size_t submitted_ = 0;
  bool stopping_ = false;
  std::vector<std::jthread> threads_;
};

}  // namespace mendel::registry::http
