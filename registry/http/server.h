#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "registry/api/application.h"
#include "registry/http/limits.h"
#include "registry/http/workers.h"

namespace mendel::registry::http {

// Both in PEM.
struct TlsFiles {
  std::string certificate_chain_file;
  std::string private_key_file;
};

struct ServerOptions {
  std::string address;          // "127.0.0.1", "::1"; "::" takes IPv4 too
  std::uint16_t port = 0;       // 0: one that is free
  std::optional<TlsFiles> tls;  // TLS 1.2 and newer
  std::size_t io_threads = 1;
  Limits limits;
};

// Speaks HTTP/1.1 and 1.0 and asks the application what to answer.
//
// Each I/O thread has its own listening socket (SO_REUSEPORT), so that a connection lives
// on one thread. What blocks is done by the workers, a buffer at a time: a slow peer holds
// a buffer and no thread. The application and the workers outlive the server, and the
// workers are stopped after it.
class Server {
 public:
  Server(ServerOptions options, api::Application& application, Workers& workers);
  ~Server();

  // Throws internal when it cannot listen, invalid_argument when the TLS files are no good.
  void start();

  // The port it listens on, after start().
  std::uint16_t port() const;

  // Connections that are open now, those being turned away included.
  std::size_t connection_count() const;

  // Stops accepting, closes idle connections, lets running requests end within the limit,
  // then cancels them. Waits for what workers do for them in any case.
  void stop(std::chrono::milliseconds drain_limit);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mendel::registry::http
