#pragma once

#include <boost/asio/post.hpp>
#include <functional>
#include <memory>
#include <utility>

#include "registry/http/loop.h"

namespace mendel::registry::http {

// A request that is held without a thread until there is something to say: until its waker
// was called, a time has come, or its loop is to end. Of one I/O thread.
class Parking {
 public:
  explicit Parking(Loop& loop)
      : loop_(loop), timer_(loop.context), self_(std::make_shared<Parking*>(this)) {
    loop_.enter(*this);
  }
  ~Parking() {
    *self_ = nullptr;
    loop_.leave(*this);
  }
  Parking(const Parking&) = delete;

  // May be called from any thread, as often as one likes, also when this is no more.
  std::function<void()> waker() {
    return [loop = loop_.shared_from_this(), self = self_] {
      net::post(loop->context, [self] {
        if (*self) (*self)->wake();
      });
    };
  }

  // Whether it was woken.
  Task<bool> wait(SteadyClock::time_point until) {
    SystemError ended;
    auto token = await_with(ended);
    timer_.expires_at(until);
    if (!was_woken_ && !loop_.is_draining()) co_await timer_.async_wait(token);
    co_return was_woken_;
  }

  void cancel() { timer_.cancel(); }

 private:
  void wake() {
    was_woken_ = true;
    timer_.cancel();
  }

  Loop& loop_;
  Timer timer_;
  const std::shared_ptr<Parking*> self_;  // read and written on the I/O thread alone
  bool was_woken_ = false;
};

}  // namespace mendel::registry::http
