#pragma once

#include <filesystem>
#include <memory>
#include <string>

namespace mendel::schema {

// A PostgreSQL of our own, for who has set up none: the distribution's server programs, a
// cluster in DIR/postgres and a Unix socket in DIR/run. No TCP port. Only root and the user
// it runs as can reach the socket; whoever can, is let in.
//
// It lives as long as this object. Killed together with us, at whatever instant, it is
// whole again after the next start; killed alone, it is started again at once by a thread
// of ours, and meanwhile Database throws unavailable. Any thread.
class PrivateServer {
 public:
  // Makes the cluster where there is none, with the newest PostgreSQL installed, and ends
  // whatever an earlier process left running. Returns when connections are accepted. As
  // root it runs as the owner of DIR/postgres, at first system_user.
  //
  // Throws failed_precondition, with what to do, where another process uses the directory
  // or the PostgreSQL it needs is not installed.
  PrivateServer(const std::filesystem::path& directory, const std::string& system_user);
  ~PrivateServer();  // stops it

  // For Database.
  std::string url() const;

  // Disconnects all clients, writes everything down and returns when it has ended.
  void stop();

 private:
  class Cluster;
  class Supervisor;
  std::unique_ptr<Cluster> cluster_;
  std::unique_ptr<Supervisor> supervisor_;
};

}  // namespace mendel::schema
