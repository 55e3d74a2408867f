#include "registry/api/job_access.h"

#include "registry/services/access.h"
#include "registry/services/jobs/jobs.h"
#include "storage/base/reference.h"
#include "storage/base/uuid.h"

namespace mendel::registry::api {

namespace {

struct FoundJob {
  schema::JobRow job;
  Name ns;
  AccessService::Standing standing;
};

// Nobody learns from the answer whether a job is absent or hidden.
Error unseen(const Request& request) {
  if (request.caller().is_anonymous()) {
    return Error(ErrorCode::unauthenticated, "this needs a token");
  }
  return no_job(request.path("id"));
}

FoundJob find_job(const Request& request, Services& services) {
  auto job = services.jobs.find(request.path("id"));
  if (!job) throw unseen(request);
  Name ns = Name::parse("a namespace", job->namespace_name);
  auto standing = services.access.standing(request.caller(), ns);
  return {*std::move(job), std::move(ns), std::move(standing)};
}

bool is_own(const Caller& caller, const schema::JobRow& job) {
  return caller.attempt && caller.attempt->job_id == job.id;
}

}  // namespace

schema::JobRow readable_job(const Request& request, Services& services) {
  FoundJob found = find_job(request, services);
  if (!is_own(request.caller(), found.job) && !may_read(request.caller(), found.standing)) {
    throw unseen(request);
  }
  return std::move(found.job);
}

// Who may write may do so with a token that is for writing alone.
schema::JobRow writable_job(const Request& request, Services& services) {
  const Caller& caller = request.caller();
  FoundJob found = find_job(request, services);
  const bool may_write =
      found.standing.role >= Role::writer && caller.scopes.has(Scope::write);
  if (!may_write && !may_read(caller, found.standing)) throw unseen(request);
  services.access.require(caller, found.ns, Role::writer);
  return std::move(found.job);
}

}  // namespace mendel::registry::api
