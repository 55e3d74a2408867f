#include "registry/http/server.h"

#include <netinet/tcp.h>
#include <spdlog/spdlog.h>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <future>
#include <thread>
#include <vector>

#include "registry/http/loop.h"
#include "registry/http/session.h"
#include "storage/base/posix_error.h"

namespace mendel::registry::http {

namespace {

using Acceptor = net::basic_socket_acceptor<net::ip::tcp, Executor>;
using Endpoint = net::ip::tcp::endpoint;
using NotSentMax = net::detail::socket_option::integer<IPPROTO_TCP, TCP_NOTSENT_LOWAT>;
using ReusePort = net::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

constexpr std::chrono::milliseconds kAcceptPause{100};
constexpr int kBacklog = 1024;

std::string text_of(const Endpoint& endpoint) {
  return endpoint.address().to_string() + " port " + std::to_string(endpoint.port());
}

Endpoint parse_endpoint(const std::string& address, std::uint16_t port) {
  SystemError error;
  const net::ip::address parsed = net::ip::make_address(address, error);
  if (error)
    throw Error(ErrorCode::invalid_argument, "no IP address to listen on: " + address);
  return {parsed, port};
}

void open(Acceptor& acceptor, const Endpoint& endpoint) {
  acceptor.open(endpoint.protocol());
  acceptor.set_option(Acceptor::reuse_address(true));
  if (endpoint.address().is_v6()) acceptor.set_option(net::ip::v6_only(false));
}

// Two servers with SO_REUSEPORT share a port without a word; without it the second fails.
void require_free(net::io_context& context, const Endpoint& endpoint) {
  Acceptor probe(context);
  open(probe, endpoint);
  probe.bind(endpoint);
}

Acceptor listen(net::io_context& context, const Endpoint& endpoint) {
  Acceptor acceptor(context);
  open(acceptor, endpoint);
  acceptor.set_option(ReusePort(true));
  acceptor.bind(endpoint);
  acceptor.listen(kBacklog);
  return acceptor;
}

std::unique_ptr<net::ssl::context> load_tls(const TlsFiles& files) {
  auto tls = std::make_unique<net::ssl::context>(net::ssl::context::tls_server);
  try {
    SSL_CTX_set_min_proto_version(tls->native_handle(), TLS1_2_VERSION);
    SSL_CTX_set_options(tls->native_handle(),
                        SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    tls->use_certificate_chain_file(files.certificate_chain_file);
    tls->use_private_key_file(files.private_key_file, net::ssl::context::pem);
  } catch (const boost::system::system_error& error) {
    fail(ErrorCode::invalid_argument,
         "load " + files.certificate_chain_file + " and " + files.private_key_file, error);
  }
  return tls;
}

}  // namespace

class Server::Impl {
 public:
  Impl(ServerOptions options, api::Application& application, Workers& workers)
      : options_(std::move(options)),
        body_memory_(options_.limits.body_memory_bytes_max),
        application_(application),
        workers_(workers) {}

  ~Impl() { stop(std::chrono::milliseconds(0)); }

  void start() {
    if (options_.tls) tls_ = load_tls(*options_.tls);
    Endpoint endpoint = parse_endpoint(options_.address, options_.port);
    try {
      if (endpoint.port() != 0) {
        net::io_context context;
        require_free(context, endpoint);
      }
      for (std::size_t i = 0; i < options_.io_threads; ++i) {
        auto loop =
            std::make_shared<Loop>(options_.limits, application_, workers_, body_memory_);
        Acceptor acceptor = listen(loop->context, endpoint);
        endpoint = acceptor.local_endpoint();
        io_threads_.push_back({std::move(loop), std::move(acceptor)});
      }
    } catch (const boost::system::system_error& error) {
      throw_posix_error("listen on", text_of(endpoint), error.code().value());
    }
    port_ = endpoint.port();
    for (IoThread& io_thread : io_threads_) run(io_thread);
  }

  std::uint16_t port() const { return port_; }
  std::size_t connection_count() const { return connection_count_; }

  void stop(std::chrono::milliseconds drain_limit) {
    for (IoThread& io_thread : io_threads_) {
      net::post(io_thread.loop->context, [&io_thread] {
        SystemError ignored;
        io_thread.acceptor.close(ignored);
        io_thread.loop->drain();
      });
    }
    const auto until = SteadyClock::now() + drain_limit;
    for (IoThread& io_thread : io_threads_) {
      if (io_thread.ended.wait_until(until) == std::future_status::ready) continue;
      net::post(io_thread.loop->context, [&io_thread] { io_thread.loop->abort(); });
    }
    for (IoThread& io_thread : io_threads_) io_thread.ended.wait();
    io_threads_.clear();
  }

 private:
  struct IoThread {
    std::shared_ptr<Loop> loop;
    Acceptor acceptor;
    std::future<void> ended{};
  };

  // The thread ends when its loop has nothing left to do: it listens no more, and the last
  // connection has gone.
  void run(IoThread& io_thread) {
    Loop& loop = *io_thread.loop;
    net::co_spawn(loop.context, accept(&io_thread), net::detached);
    net::co_spawn(loop.context, loop.sweep(), net::detached);
    io_thread.ended = std::async(std::launch::async, [&loop] { loop.context.run(); });
  }

  Task<> accept(IoThread* io_thread) {
    Loop& loop = *io_thread->loop;
    Acceptor& acceptor = io_thread->acceptor;
    Timer pause(loop.context);
    while (acceptor.is_open()) {
      Socket socket(loop.context);
      SystemError error;
      auto token = await_with(error);
      co_await acceptor.async_accept(socket, token);
      if (!error) {
        admit(loop, std::move(socket));
      } else if (acceptor.is_open()) {
        spdlog::warn("cannot accept a connection: {}", error.message());
        pause.expires_after(kAcceptPause);
        co_await pause.async_wait(token);
      }
    }
  }

  void admit(Loop& loop, Socket socket) {
    SystemError ignored;
    socket.set_option(net::ip::tcp::no_delay(true), ignored);
    socket.set_option(NotSentMax(static_cast<int>(options_.limits.unsent_bytes_max)),
                      ignored);
    Counted counted(connection_count_);
    const std::size_t count = connection_count_;
    const Limits& limits = options_.limits;
    if (count <= limits.connections_max) {
      start_session(loop, std::move(socket), tls_.get(), std::move(counted));
    } else if (count <= limits.connections_max + limits.turned_away_max && !tls_) {
      turn_away(loop, std::move(socket), std::move(counted));
    }
  }

  const ServerOptions options_;
  BodyMemory body_memory_;
  api::Application& application_;
  Workers& workers_;
  std::unique_ptr<net::ssl::context> tls_;
  std::atomic<std::size_t> connection_count_ = 0;
  std::uint16_t port_ = 0;
  std::vector<IoThread> io_threads_;
};

Server::Server(ServerOptions options, api::Application& application, Workers& workers)
    : impl_(std::make_unique<Impl>(std::move(options), application, workers)) {}
Server::~Server() = default;

void Server::start() { impl_->start(); }
std::uint16_t Server::port() const { return impl_->port(); }
std::size_t Server::connection_count() const { return impl_->connection_count(); }
void Server::stop(std::chrono::milliseconds drain_limit) { impl_->stop(drain_limit); }

}  // namespace mendel::registry::http
