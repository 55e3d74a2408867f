#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "registry/api/message.h"
#include "registry/http/limits.h"

namespace mendel::registry::http {

// Reads the head of an HTTP/1.x request, and the chunks of its body (RFC 9112), from bytes
// that the caller received. Knows no socket. What could be read in two ways is refused:
// Content-Length beside Transfer-Encoding, codings other than chunked, a missing Host.
class RequestParser {
 public:
  explicit RequestParser(const Limits& limits);
  ~RequestParser();

  struct HeadResult {
    enum { incomplete, complete, refused } state = incomplete;
    std::size_t taken = 0;    // bytes of input that belong to the head, once it is complete
    int status = 0;           // when refused: what to answer, and why
    std::string_view detail;  //
  };
  // input begins where a request does, and is only ever longer from call to call until the
  // head is complete.
  HeadResult parse_head(std::string_view input);

  // Of the request whose head was parsed last; empty before that.
  const api::RequestHead& head() const;
  api::RequestHead& head();
  bool keeps_alive() const;
  bool is_http_1_0() const;
  bool expects_continue() const;
  bool is_chunked() const;

  struct Decoded {
    enum { more, end, malformed } state = more;
    std::size_t taken = 0;  // bytes of input
    std::size_t made = 0;   // bytes of output
  };
  // Takes what it can of a chunked body. What was not taken must come again, with more
  // behind it.
  Decoded decode_chunks(std::string_view input, std::span<std::byte> output);

  // Forgets the request.
  void reset();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mendel::registry::http
