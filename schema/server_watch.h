#pragma once

#include <memory>
#include <string>

namespace mendel::schema {

// Notices that PostgreSQL has stopped answering without closing its connections: a frozen
// machine, a stopped process, a network that swallows. libpq would wait for it without end.
//
// When somebody has waited for the server for 5 s and a ping is not answered within another
// 5 s, all waits end (their sockets are shut down), and nobody should begin one until a
// ping is answered again. A statement that is merely slow is left alone. Any thread.
class ServerWatch {
 public:
  explicit ServerWatch(std::string url);
  ~ServerWatch();

  bool server_answers() const;

  // Somebody waits for the server, from its making to its end.
  class Wait {
   public:
    explicit Wait(ServerWatch& watch);
    ~Wait();
    Wait(const Wait&) = delete;
    Wait& operator=(const Wait&) = delete;

    // On this socket, whoever may close it.
    void is_on(int socket);

   private:
    ServerWatch& watch_;
  };

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace mendel::schema
