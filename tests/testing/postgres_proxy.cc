// Of the protocol (PostgreSQL's manual, "Message Formats") it needs to know only where
// messages end and which of them are answered: the first one, 'Q' (simple query) and 'S'
// (sync) from the client, each with messages that end with 'Z' (ready for query).
//
//   message: type (1 byte; the client's first one has none) | int32 size with itself | …

#include "tests/testing/postgres_proxy.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <list>
#include <mutex>
#include <optional>
#include <pqxx/pqxx>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <utility>

#include "storage/base/fd.h"
#include "tests/testing/temporary_directory.h"

namespace mendel::testing {

namespace {

constexpr const char* kSocketName = ".s.PGSQL.5432";
constexpr std::string_view kCommit = "COMMIT";

Fd connect_to(const sockaddr* address, socklen_t size) {
  Fd connection(socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (connect(connection.get(), address, size) != 0) return {};
  return connection;
}

sockaddr_un unix_address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) throw std::runtime_error("long socket path");
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

struct Address {
  std::string host;
  std::string port;
};

Fd connect_to(const Address& server) {
  if (server.host.starts_with('/')) {
    const auto address = unix_address(server.host + "/.s.PGSQL." + server.port);
    return connect_to(reinterpret_cast<const sockaddr*>(&address), sizeof address);
  }
  addrinfo* found = nullptr;
  if (getaddrinfo(server.host.c_str(), server.port.c_str(), nullptr, &found) != 0) {
    throw std::runtime_error("no address of " + server.host);
  }
  Fd connection = connect_to(found->ai_addr, found->ai_addrlen);
  freeaddrinfo(found);
  return connection;
}

Fd listen_at(const std::string& path) {
  Fd listener(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const auto address = unix_address(path);
  if (bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) !=
          0 ||
      listen(listener.get(), SOMAXCONN) != 0) {
    throw std::runtime_error("cannot listen at " + path);
  }
  return listener;
}

bool send_all(const Fd& to, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(to.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

// The messages of one side, one after the other, as they stand on the wire.
class Messages {
 public:
  explicit Messages(const Fd& from) : from_(from) {}

  // Empty at the end of the connection. header: of what comes before the size.
  std::string next(std::size_t header) {
    while (input_.size() < header + 4 || input_.size() < size_of_next(header)) {
      std::array<char, 65536> buffer;
      const ssize_t size = recv(from_.get(), buffer.data(), buffer.size(), 0);
      if (size <= 0) return {};
      input_.append(buffer.data(), static_cast<std::size_t>(size));
    }
    std::string message = input_.substr(0, size_of_next(header));
    input_.erase(0, message.size());
    return message;
  }

 private:
  std::size_t size_of_next(std::size_t header) const {
    std::uint32_t size = 0;
    std::memcpy(&size, input_.data() + header, sizeof size);
    return header + ntohl(size);
  }

  const Fd& from_;
  std::string input_;
};

std::string message(char type, std::string_view content) {
  const std::uint32_t size = htonl(static_cast<std::uint32_t>(content.size() + 4));
  std::string text(1, type);
  text.append(reinterpret_cast<const char*>(&size), sizeof size);
  return text.append(content);
}

std::string disk_full_answer() {
  using namespace std::string_literals;
  return message(
             'E',
             "SERROR\0VERROR\0C53100\0Mcould not extend file: No space left on device\0\0"s) +
         message('Z', "E");
}

bool is_commit(std::string_view request) {
  return request.starts_with('Q') && request.substr(5).starts_with(kCommit);
}

}  // namespace

class PostgresProxy::Server {
 public:
  explicit Server(const std::string& server_url)
      : listener_(listen_at(directory_ / kSocketName)) {
    pqxx::connection connection(server_url);
    real_ = {connection.hostname(), connection.port()};
    const bool is_uri = server_url.find("://") != std::string::npos;
    const char between = !is_uri                                     ? ' '
                         : server_url.find('?') == std::string::npos ? '?'
                                                                     : '&';
    url_ = server_url + between + "host=" + directory_.path() + (is_uri ? '&' : ' ') +
           "port=5432";
    acceptor_ = std::thread([this] { accept_connections(); });
  }

  ~Server() {
    shutdown(listener_.get(), SHUT_RDWR);
    acceptor_.join();
    for (Session& session : sessions_) {
      end(session);
      session.thread.join();
    }
  }

  const std::string& url() const { return url_; }

  void fail(int round_trip, Fault fault) {
    const std::lock_guard lock(mutex_);
    failing_ = Failing{round_trip, fault, false};
  }

  bool stop_failing() {
    const std::lock_guard lock(mutex_);
    return std::exchange(failing_, {}).came;
  }

 private:
  struct Failing {
    int round_trips_before = -1;
    Fault fault = Fault::lost_before;
    bool came = false;
  };

  struct Session {
    Fd client;
    Fd server;
    std::thread thread;
  };

  void end(const Session& session) {
    const std::lock_guard lock(mutex_);
    shutdown(session.client.get(), SHUT_RDWR);
    shutdown(session.server.get(), SHUT_RDWR);
  }

  void accept_connections() {
    for (;;) {
      Fd client(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!client) return;
      Session& session = sessions_.emplace_back();
      session.client = std::move(client);
      session.server = connect_to(real_);
      session.thread = std::thread([this, &session] {
        serve(session);
        const std::lock_guard lock(mutex_);
        session.client = Fd();
        session.server = Fd();
      });
    }
  }

  // Hands on one round trip after the other until a side ends, or a fault does.
  void serve(const Session& session) {
    Messages requests(session.client);
    Messages answers(session.server);
    for (std::string request = requests.next(0); !request.empty();
         request = read_request(requests)) {
      const auto fault = count_round_trip();
      if (fault == Fault::lost_before) return;
      if (fault == Fault::disk_full) {
        // A server that cannot commit rolls back.
        if (is_commit(request) &&
            (!send_all(session.server, message('Q', std::string_view("ROLLBACK", 9))) ||
             read_answer(answers).empty())) {
          return;
        }
        if (!send_all(session.client, disk_full_answer())) return;
        continue;
      }
      if (!send_all(session.server, request)) return;
      const std::string answer = read_answer(answers);
      if (fault == Fault::lost_after || !send_all(session.client, answer)) return;
    }
  }

  static std::string read_request(Messages& from) {
    std::string request;
    for (;;) {
      const std::string part = from.next(1);
      if (part.empty()) return {};
      request += part;
      if (part[0] == 'Q' || part[0] == 'S') return request;
    }
  }

  // Up to ready for query, or to what the server said before it closed.
  static std::string read_answer(Messages& from) {
    std::string answer;
    for (;;) {
      const std::string part = from.next(1);
      answer += part;
      if (part.empty() || part[0] == 'Z') return answer;
    }
  }

  std::optional<Fault> count_round_trip() {
    const std::lock_guard lock(mutex_);
    if (failing_.round_trips_before-- != 0) return std::nullopt;
    failing_.came = true;
    return failing_.fault;
  }

  TemporaryDirectory directory_;
  Fd listener_;
  Address real_;
  std::string url_;
  std::mutex mutex_;
  Failing failing_;
  std::list<Session> sessions_;  // the acceptor's own while it runs
  std::thread acceptor_;
};

PostgresProxy::PostgresProxy(const std::string& server_url)
    : server_(std::make_unique<Server>(server_url)) {}
PostgresProxy::~PostgresProxy() = default;

const std::string& PostgresProxy::url() const { return server_->url(); }
void PostgresProxy::fail(int round_trip, Fault fault) { server_->fail(round_trip, fault); }
bool PostgresProxy::stop_failing() { return server_->stop_failing(); }

}  // namespace mendel::testing
