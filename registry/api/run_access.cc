#include "registry/api/run_access.h"

#include "registry/services/access.h"
#include "storage/base/reference.h"

namespace mendel::registry::api {

namespace {

struct FoundRun {
  RunService::Identity run;
  Name ns;
  AccessService::Standing standing;
};

// Nobody learns from the answer whether a run is absent or hidden.
Error unseen(const Request& request) {
  if (request.caller().is_anonymous()) {
    return Error(ErrorCode::unauthenticated, "this needs a token");
  }
  return no_run(request.path("id"));
}

FoundRun find_run(const Request& request, Services& services) {
  auto run = services.runs.find_identity(request.path("id"));
  if (!run) throw unseen(request);
  Name ns = Name::parse("a namespace", run->namespace_name);
  auto standing = services.access.standing(request.caller(), ns);
  return {std::move(*run), std::move(ns), std::move(standing)};
}

}  // namespace

RunService::Identity readable_run(const Request& request, Services& services) {
  FoundRun found = find_run(request, services);
  if (!may_read(request.caller(), found.standing)) throw unseen(request);
  return std::move(found.run);
}

// Who may write may do so with a token that is for writing alone.
RunService::Identity writable_run(const Request& request, Services& services) {
  const Caller& caller = request.caller();
  FoundRun found = find_run(request, services);
  const bool may_write =
      found.standing.role >= Role::writer && caller.scopes.has(Scope::write);
  if (!may_write && !may_read(caller, found.standing)) throw unseen(request);
  services.access.require(caller, found.ns, Role::writer);
  require_own_run(caller, found.run);
  return std::move(found.run);
}

void require_own_run(const Caller& caller, const RunService::Identity& run) {
  if (!caller.attempt) return;
  const JobAttempt& attempt = *caller.attempt;
  if (run.job_id == attempt.job_id && run.job_attempt == attempt.number) return;
  throw Error(ErrorCode::permission_denied, "the run is not one of this attempt");
}

}  // namespace mendel::registry::api
