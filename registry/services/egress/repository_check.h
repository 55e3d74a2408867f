#pragma once

#include <semaphore>
#include <string>

#include "registry/services/egress/git_remotes.h"

namespace mendel::registry {

// Whether commits that versions were made from can still be had, asked by the server for
// those whose own git cannot reach a repository. Any thread.
class RepositoryCheck {
 public:
  explicit RepositoryCheck(GitRemotes& remotes) : remotes_(remotes) {}

  struct Answer {
    bool available = false;
    std::string why;  // not
  };

  // A repository that is known by an address for ssh is asked by https. Throws as
  // GitRemotes does for what may be better later, and resource_exhausted while others are
  // asking.
  Answer check(const std::string& repository, const std::string& commit);

 private:
  class Turn;
  // Each holds a worker of the server while it waits for a stranger.
  static constexpr std::ptrdiff_t kAtOnceMax = 2;

  GitRemotes& remotes_;
  std::counting_semaphore<kAtOnceMax> turns_{kAtOnceMax};
};

}  // namespace mendel::registry
