#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "storage/base/io.h"

namespace mendel::registry::api {

// HTTP header fields; names compare ignoring ASCII case. A value: copy it, move it.
class Headers {
 public:
  std::optional<std::string_view> find(
      std::string_view name) const;                    // the first of that name
  void set(std::string_view name, std::string value);  // replaces
  void add(std::string_view name, std::string value);

  auto begin() const { return fields_.begin(); }
  auto end() const { return fields_.end(); }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

// What is known of a request before its body.
struct RequestHead {
  std::string id;      // a UUIDv7, made by the server: X-Request-Id, and on every log line
  std::string method;  // "GET"
  std::string target;  // as it was sent: path and query
  Headers headers;
  std::optional<std::uint64_t>
      content_length;  // absent with a chunked body, or without one
  bool has_body = false;
  std::string peer;  // the client's address and port
};

// Bytes that live in memory and are shared by those who send them.
struct SharedBytes {
  std::shared_ptr<const void> owner;
  std::string_view bytes;
};

// Bytes that are made while they are sent. The server calls read() on a worker thread, for
// one buffer at a time, whenever the peer has taken the last one. size_bytes is what
// Content-Length says; without it the body is sent chunked.
struct ByteStream {
  std::unique_ptr<Source> source;
  std::optional<std::uint64_t> size_bytes;
};

// A request that waits, as whoever will wake it knows it: let go of, it is forgotten.
struct Waiting {
  std::shared_ptr<void> place;
  std::function<void()> pass_on;  // its client has gone: whoever else waits is to be woken
};

// That there may soon be more to say than the answer that this comes with (long polling).
// The server holds the request, without a thread, for time_max at the most; once it is
// woken it asks again, otherwise it sends the answer.
struct Wait {
  std::chrono::milliseconds time_max;

  // On an I/O thread. wake may be called from any thread, as often as one likes, also
  // before begin returns and after the wait has ended; and is called if something came
  // since the answer was made.
  std::function<Waiting(std::function<void()> wake)> begin;
};

struct Response {
  int status = 200;
  Headers headers;
  std::variant<std::string, SharedBytes, ByteStream> body;
  std::optional<Wait> wait{};
  // For HEAD and 304: the headers tell of a body that is not sent. The server sends
  // Content-Length from the body that would have been.
};

}  // namespace mendel::registry::api
