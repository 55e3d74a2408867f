#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "schema/child_process.h"
#include "schema/postgres_programs.h"
#include "storage/base/fd.h"

namespace mendel::schema {

// What PrivateServer keeps on disk, held by one process at a time:
//
//   DIR/postgres        the cluster
//   DIR/postgres.tmp    a cluster that is being made; renamed when it is whole
//   DIR/run             mode 0700: the socket, and
//   DIR/run/lock        locked (flock) by the process that uses DIR
class PostgresCluster {
 public:
  // See PrivateServer's constructor, which this does but for starting the server.
  PostgresCluster(const std::filesystem::path& directory, const std::string& system_user);

  // The server in the foreground; it shuts down fast when the thread that started it ends.
  Command server(int output) const;

  // Ends all processes that work on this cluster: gently its postmaster, if it still lives.
  void end_processes() const;

  // Whether the server with this process id accepts connections.
  bool is_ready(pid_t server) const;

  std::string url() const;

 private:
  void create();
  void stop(std::optional<pid_t> postmaster) const;
  std::vector<pid_t> processes() const;
  Command command(std::vector<std::string> arguments, const Fd& inherited) const;

  const std::filesystem::path directory_;
  const std::filesystem::path data_;
  const std::filesystem::path run_;
  Fd lock_;
  std::optional<SystemUser> user_;  // where we are root
  std::optional<PostgresPrograms> programs_;
  Fd data_fd_;
  Fd run_fd_;
};

}  // namespace mendel::schema
