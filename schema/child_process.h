#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "storage/base/process.h"

namespace mendel::schema {

// Whom a child process runs as; only root can name somebody else.
struct SystemUser {
  uid_t uid;
  gid_t gid;
  std::vector<gid_t> groups;
};

// Throws not_found where there is no such user.
SystemUser get_system_user(const std::string& name);
SystemUser get_system_user(uid_t uid);

struct Command {
  std::vector<std::string> arguments;  // the first is the program's absolute path
  std::optional<SystemUser> user;      // nobody: as we are
  std::vector<int> inherited_files;    // stay open under their numbers; all others close
  std::optional<int> output;           // where standard output and error go
  std::string input;                   // what it reads; less than a pipe holds
  int signal_when_parent_dies;         // parent: the thread that called start()
};

// Starts it in a session of its own, so that a terminal's Ctrl-C does not reach it, with a
// small environment that has nothing of ours. Whoever starts it must wait for it.
pid_t start(const Command& command);

// Runs it to its end and returns what it wrote. Throws internal, with that text, unless it
// exits with 0.
std::string run(Command command);

// "exit status 1", "signal 9".
std::string describe_wait_status(int status);

}  // namespace mendel::schema
