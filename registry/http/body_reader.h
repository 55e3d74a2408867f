#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "registry/http/asio.h"
#include "registry/http/connection.h"
#include "registry/http/input_buffer.h"
#include "registry/http/limits.h"
#include "registry/http/request_parser.h"

namespace mendel::registry::http {

// How far a request's body has come.
enum class Received { more, whole, timed_out, gone, malformed, too_large, no_memory };

// Reads the body of one request after the other: what came with the head, and then from the
// connection, with chunks taken apart.
class BodyReader {
 public:
  BodyReader(const Limits& limits, Connection& connection, InputBuffer& input,
             RequestParser& parser)
      : limits_(limits), connection_(connection), input_(input), parser_(parser) {}

  // The request whose head was parsed last begins.
  void start();

  struct Part {
    Received state = Received::more;
    std::size_t size = 0;
  };
  // The next bytes of the body, one at least while there are more.
  Task<Part> read_some(std::span<std::byte> buffer);

  // The same until the buffer is full or the body cannot go on.
  Task<Part> fill(std::span<std::byte> buffer);

  // Reads what nobody wants, so that the peer gets to reading the answer; not all of it
  // where it is much.
  Task<Received> drop();
  void drop_arrived();

  bool has_ended() const { return ended_; }  // nothing of the body is left to be read
  std::uint64_t size_bytes() const { return size_bytes_; }  // what was read of it

 private:
  Part take_arrived(std::span<std::byte> buffer);
  Part counted(Part part);

  const Limits& limits_;
  Connection& connection_;
  InputBuffer& input_;
  RequestParser& parser_;

  std::uint64_t bytes_left_ = 0;  // of a body with Content-Length
  bool ended_ = true;
  std::uint64_t size_bytes_ = 0;
};

}  // namespace mendel::registry::http
