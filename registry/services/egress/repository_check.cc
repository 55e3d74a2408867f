#include "registry/services/egress/repository_check.h"

#include "registry/services/egress/repository_url.h"
#include "storage/base/error.h"

namespace mendel::registry {

namespace {

// Users clone by ssh, with their own keys; what is public is there by https, too.
std::string address_by_https(const std::string& repository) {
  auto url = RepositoryUrl::parse(repository);
  if (url.scheme != "ssh" && url.scheme != "git") return repository;
  url.scheme = "https";
  url.authority.user.clear();
  url.authority.port.reset();
  return url.text();
}

}  // namespace

class RepositoryCheck::Turn {
 public:
  explicit Turn(std::counting_semaphore<kAtOnceMax>& turns) : turns_(turns) {
    if (!turns_.try_acquire()) {
      throw Error(ErrorCode::resource_exhausted,
                  "the server is asking other repositories: try again in a minute");
    }
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn() { turns_.release(); }

 private:
  std::counting_semaphore<kAtOnceMax>& turns_;
};

RepositoryCheck::Answer RepositoryCheck::check(const std::string& repository,
                                               const std::string& commit) {
  const std::string address = address_by_https(repository);
  const Turn turn(turns_);
  try {
    if (remotes_.has(address, commit)) return {true, ""};
    return {false, address + " has no commit " + commit};
  } catch (const Error& error) {
    if (error.code() != ErrorCode::not_found &&
        error.code() != ErrorCode::permission_denied)
      throw;
    return {false, error.what()};
  }
}

}  // namespace mendel::registry
