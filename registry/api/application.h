#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "registry/api/message.h"
#include "storage/base/error.h"

namespace mendel::registry::api {

// What the HTTP server asks of the application, request by request. Nothing here knows a
// socket, and nothing throws: every failure is an answer.

// What happened to a request, for the log and the metrics.
struct Completion {
  int status = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::chrono::microseconds duration{};
  bool aborted = false;  // the connection broke before the last byte was sent
};

// One request, from its head to the last byte of its answer. Its methods run one at a time.
class Exchange {
 public:
  virtual ~Exchange() = default;

  // On an I/O thread, so it neither blocks nor computes much. nullopt: begin() it.
  virtual std::optional<Response> answer_from_memory() noexcept = 0;

  // What follows runs on worker threads, in the order in which it stands here. An exchange
  // that was begun is also destroyed there, unless answer() has returned.

  // Before the client is told to send its body (100 Continue): routed, authorised, within
  // its limits? If not, the answer that ends the request here (401, 404 …).
  virtual std::optional<Response> begin() noexcept = 0;

  enum class Body {
    none,   // answer() with an empty body; what the client sends is read and dropped
    whole,  // read all of it, body_size_max() at the most, then answer()
    stream  // consume() each buffer, then answer() with an empty body
  };
  virtual Body body() const = 0;
  virtual std::uint64_t body_size_max() const = 0;

  // An answer instead of nullopt ends the request before the rest of its body.
  virtual std::optional<Response> consume(std::span<const std::byte> data) noexcept = 0;
  virtual Response answer(std::string body) noexcept = 0;

  // After an answer with a wait, which was woken: what is to be said now to the same
  // request, whose caller may have lost a right meanwhile.
  virtual Response answer_again() noexcept = 0;

  // What follows runs on an I/O thread.

  // The problem document for what the HTTP server itself refuses: 400, 408, 413, 431, 503.
  virtual Response refuse(int status, std::string_view detail) noexcept = 0;

  // After the last byte.
  virtual void completed(const Completion& completion) noexcept = 0;
};

class Application {
 public:
  virtual ~Application() = default;

  // For a request whose head has come, or what could be read of it. Never null. On an I/O
  // thread. head outlives the exchange.
  virtual std::unique_ptr<Exchange> open(const RequestHead& head) noexcept = 0;
};

}  // namespace mendel::registry::api
