#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace mendel::testing {

// An answer as it came over the wire.
struct HttpReply {
  int status = 0;
  std::string head;       // status line and fields
  std::string body;       // chunks put together
  bool is_whole = false;  // the body came to the end that its framing promises

  // The value of the first field of that name; empty without one.
  std::string field(std::string_view name) const;
};

// A client that sends exactly the bytes it is told to. Blocks, and gives up on a silent
// server after 20 s by throwing std::runtime_error.
class HttpSocket {
 public:
  explicit HttpSocket(std::uint16_t port);
  HttpSocket(HttpSocket&& other) noexcept;
  ~HttpSocket();

  // False: the server has closed.
  bool send(std::string_view bytes);
  void end_sending();

  HttpReply read_reply();
  HttpReply read_reply_without_body();  // to HEAD, 100, 204, 304
  std::string read(std::size_t size);   // less only where the server closed
  std::string read_to_end();
  bool is_closed_by_server();  // waits for it; false when bytes come instead

  // GET over this connection.
  HttpReply get(std::string_view target);

  int fd() const { return fd_; }

 private:
  std::string read_line();
  bool receive();

  int fd_ = -1;
  std::string input_;
};

}  // namespace mendel::testing
