#pragma once

#include <memory>
#include <string>

namespace mendel::testing {

// Stands between libpq and a PostgreSQL server, and breaks one round trip when it is told
// to. A round trip is what libpq waits for: opening a connection, BEGIN, preparing a
// statement, running it, COMMIT. Loops over the failing one show that a caller stands a
// fault anywhere.
class PostgresProxy {
 public:
  enum class Fault {
    lost_before,  // the connection breaks, and the server never hears of it
    lost_after,   // the server has done it, and the connection breaks before it can say so
    disk_full,    // the server refuses it with SQLSTATE 53100
  };

  // server_url: what libpq understands, over a Unix socket or without TLS.
  explicit PostgresProxy(const std::string& server_url);
  ~PostgresProxy();

  // For a Database whose round trips are to be broken.
  const std::string& url() const;

  // From now on round trips count from 0, over all connections, and the given one fails.
  void fail(int round_trip, Fault fault);

  // Round trips pass again. Returns whether the failing one came: if not, the loop has seen
  // them all.
  bool stop_failing();

 private:
  class Server;
  std::unique_ptr<Server> server_;
};

}  // namespace mendel::testing
