#pragma once

#include <boost/asio/post.hpp>
#include <functional>
#include <utility>

#include "registry/http/loop.h"

namespace mendel::registry::http {

// A trip of a connection to a worker and back to its I/O thread, one at a time. What the
// job writes is not read there before the hop has finished.
class Hop {
 public:
  explicit Hop(Loop& loop) : loop_(loop), back_(loop.context) {}

  // New work; false when the workers are overloaded.
  [[nodiscard]] bool start(std::function<void()> job) {
    is_away_ = loop_.workers.submit(there_and_back(std::move(job)));
    return is_away_;
  }

  // More of the work that was begun.
  void resume(std::function<void()> job) {
    is_away_ = true;
    loop_.workers.resume(there_and_back(std::move(job)));
  }

  bool is_away() const { return is_away_; }

  Task<> finished() {
    while (is_away_) {
      boost::system::error_code woken;
      auto token = await_with(woken);
      back_.expires_at(SteadyClock::time_point::max());
      co_await back_.async_wait(token);
    }
  }

 private:
  std::function<void()> there_and_back(std::function<void()> job) {
    return [this, loop = loop_.shared_from_this(), job = std::move(job)] {
      job();
      net::post(loop->context, [this] {
        is_away_ = false;
        back_.cancel();
      });
    };
  }

  Loop& loop_;
  Timer back_;
  bool is_away_ = false;
};

}  // namespace mendel::registry::http
