#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "registry/api/application.h"
#include "registry/http/asio.h"
#include "registry/http/body_memory.h"
#include "registry/http/limits.h"
#include "registry/http/workers.h"

namespace mendel::registry::http {

class Connection;
class Parking;

// What the connections of one I/O thread use and have in common. Of that thread alone; a
// worker on its way back keeps it alive.
class Loop : public std::enable_shared_from_this<Loop> {
 public:
  Loop(const Limits& limits, api::Application& application, Workers& workers,
       BodyMemory& body_memory);

  void enter(Connection& connection);
  void leave(Connection& connection);
  void enter(Parking& parking) { parked_.insert(&parking); }
  void leave(Parking& parking) { parked_.erase(&parking); }

  // Ends operations that are past their deadline, until the last connection of a draining
  // loop has left. A timer per connection would cost two heap operations per read.
  Task<> sweep();

  void drain();  // closes what is idle, parks nothing; the rest closes after its answer
  void abort();  // closes everything
  bool is_draining() const { return is_draining_; }

  std::string_view http_date();

  const Limits& limits;
  api::Application& application;
  Workers& workers;
  BodyMemory& body_memory;
  net::io_context context{1};

 private:
  std::unordered_set<Connection*> connections_;
  std::unordered_set<Parking*> parked_;
  Timer sweep_timer_{context};
  bool is_draining_ = false;
  std::int64_t date_seconds_ = -1;
  std::string date_;
};

// Takes part in a count while it lives.
class Counted {
 public:
  explicit Counted(std::atomic<std::size_t>& count) : count_(&count) { ++*count_; }
  Counted(Counted&& other) noexcept : count_(std::exchange(other.count_, nullptr)) {}
  Counted& operator=(Counted&&) = delete;
  ~Counted() {
    if (count_) --*count_;
  }

 private:
  std::atomic<std::size_t>* count_;
};

}  // namespace mendel::registry::http
