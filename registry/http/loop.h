#pragma once

// The inside of this folder: what server.cc and session.cc share. Includes Asio, so nothing
// else includes it.

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "registry/api/application.h"
#include "registry/http/body_memory.h"
#include "registry/http/limits.h"
#include "registry/http/workers.h"

namespace boost::asio::ssl {
class context;
}

namespace mendel::registry::http {

namespace net = boost::asio;
using SteadyClock = std::chrono::steady_clock;
using Executor = net::io_context::executor_type;
using Socket = net::basic_stream_socket<net::ip::tcp, Executor>;
using Timer =
    net::basic_waitable_timer<SteadyClock, net::wait_traits<SteadyClock>, Executor>;
template <class T = void>
using Task = net::awaitable<T, Executor>;

// One connection as its I/O thread sees it.
class Connection {
 public:
  virtual ~Connection() = default;

  // Ends the socket operation under way, with an error.
  virtual void expire() = 0;
  virtual void close() = 0;

  // When the socket operation under way must have ended; never, while there is none.
  SteadyClock::time_point deadline = SteadyClock::time_point::max();
  bool is_idle = false;  // no byte of a request has come
};

// What the connections of one I/O thread use and have in common. Of that thread alone; a
// worker on its way back keeps it alive.
class Loop : public std::enable_shared_from_this<Loop> {
 public:
  Loop(const Limits& limits, api::Application& application, Workers& workers,
       BodyMemory& body_memory);

  void enter(Connection& connection);
  void leave(Connection& connection);

  // Ends operations that are past their deadline, until the last connection of a draining
  // loop has left. A timer per connection would cost two heap operations per read.
  Task<> sweep();

  void drain();  // closes what is idle; the rest closes after its answer
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

// Serves a connection from here to its end. tls is null for plain HTTP.
void start_session(Loop& loop, Socket socket, net::ssl::context* tls, Counted counted);

// Tells a connection over the limit so, and closes it.
void turn_away(Loop& loop, Socket socket, Counted counted);

}  // namespace mendel::registry::http
