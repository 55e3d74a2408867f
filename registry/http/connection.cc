#include "registry/http/connection.h"

#include <netinet/tcp.h>

#include <algorithm>
#include <array>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <type_traits>
#include <vector>

#include "registry/http/input_buffer.h"
#include "registry/http/loop.h"

namespace mendel::registry::http {

namespace {

using TlsStream = net::ssl::stream<Socket>;

std::string peer_text(const Socket& socket) {
  SystemError error;
  const net::ip::tcp::endpoint peer = socket.remote_endpoint(error);
  if (error) return "unknown";
  const net::ip::address address = peer.address();
  const std::string port = ":" + std::to_string(peer.port());
  if (address.is_v4()) return address.to_string() + port;
  if (address.to_v6().is_v4_mapped()) {
    return net::ip::make_address_v4(net::ip::v4_mapped, address.to_v6()).to_string() + port;
  }
  return "[" + address.to_string() + "]" + port;
}

template <class Stream>
class StreamConnection final : public Connection {
 public:
  template <class... Tls>
  StreamConnection(Loop& loop, Socket socket, Tls&... tls)
      : loop_(loop), peer_(peer_text(socket)), stream_(std::move(socket), tls...) {
    loop_.enter(*this);
  }
  ~StreamConnection() override { loop_.leave(*this); }

  Task<bool> handshake() override {
    if constexpr (kIsTls) {
      SystemError error;
      auto token = await_with(error);
      begin_operation(SteadyClock::now() + loop_.limits.handshake_timeout);
      co_await stream_.async_handshake(net::ssl::stream_base::server, token);
      end_operation();
      co_return !error;
    }
    co_return true;
  }

  Task<std::size_t> read_some(std::span<char> buffer,
                              SteadyClock::time_point until) override {
    SystemError error;
    auto token = await_with(error);
    begin_operation(until);
    const std::size_t size =
        co_await stream_.async_read_some(net::buffer(buffer.data(), buffer.size()), token);
    end_operation();
    co_return error ? 0 : size;
  }

  Task<bool> write_all(std::string_view first, std::string_view second) override {
    while (!first.empty() || !second.empty()) {
      const std::array<net::const_buffer, 2> buffers = {net::buffer(first),
                                                        net::buffer(second)};
      SystemError error;
      auto token = await_with(error);
      begin_operation(SteadyClock::now() + loop_.limits.send_timeout);
      const std::size_t size = co_await stream_.async_write_some(buffers, token);
      end_operation();
      if (error) co_return false;

      const std::size_t of_first = std::min(size, first.size());
      first.remove_prefix(of_first);
      second.remove_prefix(size - of_first);
    }
    co_return true;
  }

  Task<> linger() override {
    const auto until = SteadyClock::now() + loop_.limits.linger_timeout;
    SystemError error;
    if constexpr (kIsTls) {
      auto token = await_with(error);
      begin_operation(until);
      co_await stream_.async_shutdown(token);
      end_operation();
    }
    socket().shutdown(net::socket_base::shutdown_send, error);

    std::vector<char> scratch(InputBuffer::kSizeBytesIdle);
    error = {};
    auto token = await_with(error);
    std::size_t dropped = 0;
    while (!error && dropped < loop_.limits.dropped_bytes_max) {
      begin_operation(until);
      dropped += co_await socket().async_read_some(net::buffer(scratch), token);
      end_operation();
    }
  }

  void reset() override {
    SystemError ignored;
    socket().set_option(net::socket_base::linger(true, 0), ignored);
    close();
  }

  void close() override {
    SystemError ignored;
    socket().close(ignored);
  }

  bool has_peer_gone() override {
    tcp_info info{};
    socklen_t size = sizeof(info);
    const int failed =
        getsockopt(socket().native_handle(), IPPROTO_TCP, TCP_INFO, &info, &size);
    return failed != 0 || info.tcpi_state != TCP_ESTABLISHED;
  }

  const std::string& peer() const override { return peer_; }

  void expire() override {
    timed_out_ = true;
    end_operation();
    SystemError ignored;
    socket().cancel(ignored);
  }

 private:
  static constexpr bool kIsTls = std::is_same_v<Stream, TlsStream>;

  Socket& socket() {
    if constexpr (kIsTls) {
      return stream_.next_layer();
    } else {
      return stream_;
    }
  }

  void begin_operation(SteadyClock::time_point until) {
    timed_out_ = false;
    deadline = until;
  }
  void end_operation() { deadline = SteadyClock::time_point::max(); }

  Loop& loop_;
  const std::string peer_;
  Stream stream_;
};

}  // namespace

std::unique_ptr<Connection> make_connection(Loop& loop, Socket socket,
                                            net::ssl::context* tls) {
  if (tls) {
    return std::make_unique<StreamConnection<TlsStream>>(loop, std::move(socket), *tls);
  }
  return std::make_unique<StreamConnection<Socket>>(loop, std::move(socket));
}

}  // namespace mendel::registry::http
