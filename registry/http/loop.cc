#include "registry/http/loop.h"

#include "registry/http/connection.h"
#include "registry/http/parking.h"
#include "registry/http/response_head.h"

namespace mendel::registry::http {

namespace {

constexpr std::chrono::milliseconds kSweepInterval{50};

}  // namespace

Loop::Loop(const Limits& limits, api::Application& application, Workers& workers,
           BodyMemory& body_memory)
    : limits(limits),
      application(application),
      workers(workers),
      body_memory(body_memory) {}

void Loop::enter(Connection& connection) { connections_.insert(&connection); }

void Loop::leave(Connection& connection) {
  connections_.erase(&connection);
  if (is_draining_ && connections_.empty()) sweep_timer_.cancel();
}

Task<> Loop::sweep() {
  while (!is_draining_ || !connections_.empty()) {
    SystemError woken;
    auto token = await_with(woken);
    sweep_timer_.expires_after(kSweepInterval);
    co_await sweep_timer_.async_wait(token);

    const auto now = SteadyClock::now();
    for (Connection* const connection : connections_) {
      if (connection->deadline <= now) connection->expire();
    }
  }
}

void Loop::drain() {
  is_draining_ = true;
  for (Connection* const connection : connections_) {
    if (connection->is_idle) connection->close();
  }
  for (Parking* const parking : parked_) parking->cancel();
  if (connections_.empty()) sweep_timer_.cancel();
}

void Loop::abort() {
  for (Connection* const connection : connections_) connection->close();
}

std::string_view Loop::http_date() {
  const auto now =
      std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  const std::int64_t seconds = now.time_since_epoch().count();
  if (std::exchange(date_seconds_, seconds) != seconds) date_ = format_http_date(seconds);
  return date_;
}

}  // namespace mendel::registry::http
