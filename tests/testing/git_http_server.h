#pragma once

#include <sys/types.h>

#include <string>

#include "storage/base/fd.h"

namespace mendel::testing {

// git over HTTP on the loopback (git_http.py), over the bare repositories in a directory.
class GitHttpServer {
 public:
  explicit GitHttpServer(const std::string& directory);
  ~GitHttpServer();
  GitHttpServer(const GitHttpServer&) = delete;
  GitHttpServer& operator=(const GitHttpServer&) = delete;

  std::string url(const std::string& path) const {
    return "http://127.0.0.1:" + std::to_string(port_) + "/" + path;
  }

 private:
  Fd input_;  // it serves until this closes
  pid_t pid_ = 0;
  int port_ = 0;
};

}  // namespace mendel::testing
