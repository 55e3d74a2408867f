#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "registry/api/message.h"
#include "storage/base/error.h"

namespace mendel::registry::api {

// What the HTTP server asks of the application, request by request. Nothing here knows a
// socket, and nothing throws: every failure is an answer.

// One request that was found worthy of its body: routed, authorised, within its limits. Its
// methods run on worker threads, one at a time, in the order in which they stand here.
class Exchange {
 public:
  virtual ~Exchange() = default;

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
};

// What happened to a request, for the log and the metrics.
struct Completion {
  int status = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::chrono::microseconds duration{};
  bool aborted = false;  // the connection broke before the last byte was sent
};

class Application {
 public:
  virtual ~Application() = default;

  // On an I/O thread, so it neither blocks nor computes much. nullopt: ask begin().
  virtual std::optional<Response> answer_from_memory(const RequestHead& head) noexcept = 0;

  // On a worker thread, before the client is told to send its body (100 Continue). Either
  // an exchange, or the answer that ends the request here (401, 404, 413 …). head outlives
  // the exchange.
  struct Begun {
    std::unique_ptr<Exchange> exchange;
    std::optional<Response> refusal;
  };
  virtual Begun begin(const RequestHead& head) noexcept = 0;

  // The problem document for what the HTTP server itself refuses: 400, 408, 413, 431, 503.
  // On an I/O thread.
  virtual Response refuse(const RequestHead& head, int status,
                          std::string_view detail) noexcept = 0;

  // After the last byte, on an I/O thread.
  virtual void completed(const RequestHead& head,
                         const Completion& completion) noexcept = 0;
};

}  // namespace mendel::registry::api
