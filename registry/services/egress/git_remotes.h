#pragma once

#include <atomic>
#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <semaphore>
#include <string>
#include <vector>

#include "registry/services/egress/egress.h"
#include "registry/services/egress/limited_process.h"
#include "registry/services/egress/repository_url.h"
#include "registry/services/jobs/source_resolver.h"

namespace mendel::registry {

// Asks git repositories that others keep, by http(s) where Egress permits it. git runs as a
// limited process (limited_process.h) that knows no configuration but what is given here:
// no hooks, helpers, credentials, redirects or submodules, one protocol, and the addresses
// that were checked. What it fetches lies in a directory of its own that is removed when
// the question is answered, so that nothing of one repository is ever seen by another.
//
// Any thread; a few of these processes run at a time, and who waits too long for a turn
// gets resource_exhausted. All methods throw permission_denied for an address that may not
// be reached and for a repository that needs an account, not_found for one that is gone or
// has moved, unavailable and deadline_exceeded for what may be better later,
// invalid_argument for what is no address or no ref.
class GitRemotes : public SourceResolver {
 public:
  // directory: made when needed, and what earlier servers left in it is removed.
  GitRemotes(const Egress& egress, std::filesystem::path directory);

  // Ends what is running, and all that comes later, with Error{cancelled}. Any thread.
  void stop() { stopped_ = true; }

  // The commit that a branch, a tag, a full ref or HEAD stands for now. A commit's full id
  // is taken as it is.
  std::string commit_of(const std::string& repository, const std::string& ref) override;

  // Branches and tags by full name, each with its commit.
  std::map<std::string, std::string> list(const std::string& repository);

  // Whether it has the commit, on any branch or on none.
  bool has(const std::string& repository, const std::string& commit);

  // The paths of files that differ between two commits, those on both sides of a renaming.
  // nullopt: one of the commits is there no more, or there are more paths than
  // kChangedPathsMax.
  static constexpr std::size_t kChangedPathsMax = 10'000;
  std::optional<std::vector<std::string>> changed_paths(const std::string& repository,
                                                        const std::string& before,
                                                        const std::string& after);

 private:
  class Turn;
  class Scratch;
  static constexpr std::ptrdiff_t kProcessesMax = 4;

  struct Remote {
    RepositoryUrl url;
    Destination destination;
  };
  Remote remote_at(const std::string& repository) const;
  std::map<std::string, std::string> list_refs(const Remote& remote,
                                               const std::vector<std::string>& selection);
  std::map<std::string, std::string> list(const Remote& remote);
  bool fetch(const Remote& remote, const Scratch& scratch, const std::string& filter,
             const std::vector<std::string>& commits);
  ProcessOutcome run_git(const Remote& remote, const std::string& directory,
                         const std::vector<std::string>& arguments);

  std::atomic<bool> stopped_{false};
  const Egress& egress_;
  const std::filesystem::path directory_;
  std::counting_semaphore<kProcessesMax> turns_{kProcessesMax};
};

}  // namespace mendel::registry
