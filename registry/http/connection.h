#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "registry/http/asio.h"

namespace boost::asio::ssl {
class context;
}

namespace mendel::registry::http {

class Loop;

// The bytes of one connection in both directions, plain or over TLS, on the I/O thread that
// accepted it. An operation ends when its time is over: the loop looks to that.
class Connection {
 public:
  virtual ~Connection() = default;

  // Before anything else; nothing to do without TLS. False: there will be no connection.
  virtual Task<bool> handshake() = 0;

  // How many bytes came; 0: the peer has ended, the time was over, or the connection broke.
  virtual Task<std::size_t> read_some(std::span<char> buffer,
                                      SteadyClock::time_point until) = 0;
  bool timed_out() const { return timed_out_; }  // and whether it was that

  // Sends one after the other. False: the peer took nothing for send_timeout, or the
  // connection broke.
  virtual Task<bool> write_all(std::string_view first, std::string_view second) = 0;

  // The end of a connection that was answered: the peer reads the answer before it learns
  // that what it still sends is not wanted.
  virtual Task<> linger() = 0;

  // The end of one that was not: the peer must not take what it got for the whole.
  virtual void reset() = 0;
  virtual void close() = 0;

  // Whether it has ended its side, without reading what it may have sent before.
  virtual bool has_peer_gone() = 0;

  virtual const std::string& peer() const = 0;  // address and port

  // For the loop: when the operation under way must have ended; never, while there is none.
  SteadyClock::time_point deadline = SteadyClock::time_point::max();
  virtual void expire() = 0;  // ends it

  bool is_idle = false;  // no byte of a request has come

 protected:
  bool timed_out_ = false;
};

// tls is null for plain HTTP.
std::unique_ptr<Connection> make_connection(Loop& loop, Socket socket,
                                            net::ssl::context* tls);

}  // namespace mendel::registry::http
