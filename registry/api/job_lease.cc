#include "registry/api/job_lease.h"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "registry/api/job_json.h"
#include "registry/api/json.h"
#include "registry/services/jobs/job_leases.h"
#include "registry/services/jobs/jobs.h"
#include "registry/services/jobs/lease_waiters.h"
#include "storage/base/uuid.h"

namespace mendel::registry::api {

namespace {

using nlohmann::json;

constexpr std::size_t kAgentSizeMax = 255;
constexpr std::size_t kReasonSizeMax = 4096;
constexpr std::size_t kResourcesSizeMax = 4096;
constexpr std::int64_t kWaitSecondsMax = 60;
constexpr std::int64_t kLeaseSecondsMin = 5;
constexpr std::int64_t kLeaseSecondsMax = 3600;
constexpr std::int64_t kLeaseSecondsDefault = 60;
constexpr std::int64_t kExitStatusMax = 255;

std::int64_t read_integer(ObjectReader& body, std::string_view member, std::int64_t min,
                          std::int64_t max, std::int64_t otherwise) {
  const std::int64_t number = body.optional_integer(member).value_or(otherwise);
  if (number < min || number > max) {
    body.problem(member, fmt::format("must be from {} to {}", min, max));
    return otherwise;
  }
  return number;
}

struct LeaseBody {
  JobLeases::Request request;
  std::chrono::seconds wait;
};

LeaseBody read_lease_body(const json& document) {
  ObjectReader body(document);
  LeaseBody lease;
  if (!body.has("queue")) body.problem("queue", "is required");
  const auto queue = body.parsed(
      "queue", [](const std::string& text) { return Name::parse("a queue", text); });
  lease.request.queue = queue ? queue->text() : "";
  lease.request.agent = body.required_string("agent");
  if (lease.request.agent.empty() || lease.request.agent.size() > kAgentSizeMax) {
    body.problem("agent", fmt::format("has 1 to {} bytes", kAgentSizeMax));
  }
  lease.wait =
      std::chrono::seconds(read_integer(body, "wait_seconds", 0, kWaitSecondsMax, 0));
  lease.request.lease_seconds = static_cast<std::int32_t>(read_integer(
      body, "lease_seconds", kLeaseSecondsMin, kLeaseSecondsMax, kLeaseSecondsDefault));
  body.finish();
  return lease;
}

void require_agent(const Caller& caller) {
  if (caller.scopes.has(Scope::agent)) return;
  throw Error(ErrorCode::permission_denied, "this needs a token with the scope agent");
}

json lease_json(const JobLeases::Lease& lease) {
  json document = job_work(lease.job);
  document["token"] = lease.token;
  document["lease_seconds"] = *lease.job.lease_seconds;
  document["lease_expires_at"] = format_rfc3339(*lease.job.lease_expires_at);
  document["log_offset"] = lease.job.log_size;
  document["reason"] = lease.job.reason;
  if (!lease.secrets.empty()) document["secrets"] = lease.secrets;
  return document;
}

JobLeases::AttemptKey read_attempt(const Request& request, ObjectReader& body) {
  const std::int64_t number = body.required_integer("attempt");
  if (body.has("attempt") &&
      (number < 1 || number > std::numeric_limits<std::int32_t>::max())) {
    body.problem("attempt", "is the number of an attempt, from 1");
  }
  if (!is_uuid(request.path("id"))) throw no_job(request.path("id"));
  return {std::string(request.path("id")), static_cast<std::int32_t>(number)};
}

std::optional<std::string> read_resources(ObjectReader& body) {
  const auto object = body.optional_object("resources");
  if (!object) return std::nullopt;
  std::string text = object->dump(-1, ' ', false, json::error_handler_t::replace);
  if (text.size() > kResourcesSizeMax || text.find("\\u0000") != std::string::npos) {
    body.problem("resources",
                 fmt::format("has at most {} bytes, without NUL", kResourcesSizeMax));
  }
  return text;
}

JobLeases::Finish read_finish(ObjectReader& body) {
  JobLeases::Finish finish;
  finish.status = body.required_string("status");
  const bool is_known = finish.status == "succeeded" || finish.status == "failed" ||
                        finish.status == "cancelled";
  if (body.has("status") && !is_known) {
    body.problem("status", "must be succeeded, failed or cancelled");
  }
  finish.reason = body.optional_string("reason").value_or("");
  if (finish.reason.size() > kReasonSizeMax) {
    body.problem("reason", fmt::format("is longer than {} bytes", kReasonSizeMax));
  }
  finish.version = body.optional_string("version");
  if (body.has("exit_status")) {
    finish.exit_status = static_cast<std::int32_t>(
        read_integer(body, "exit_status", -kExitStatusMax, kExitStatusMax, 0));
  }
  finish.may_be_repeated = body.optional_boolean("retry").value_or(true);
  finish.resources = read_resources(body);
  return finish;
}

}  // namespace

// The ticket is taken before one looks, so that no job is missed that comes meanwhile. A
// queue's announcement may stand for several jobs: who found one wakes the next.
Response lease_job(const Request& request, Services& services) {
  const LeaseBody body = read_lease_body(request.json());
  require_agent(request.caller());
  const std::uint64_t ticket = services.lease_waiters.ticket();

  const auto lease = services.job_leases.lease(request.caller(), body.request);

  if (lease) {
    services.lease_waiters.wake_next(body.request.queue);
    return json_response(200, lease_json(*lease));
  }
  Response response = no_content();
  if (body.wait.count() == 0) return response;
  LeaseWaiters& waiters = services.lease_waiters;
  const std::string queue = body.request.queue;
  response.wait =
      Wait{.time_max = body.wait, .begin = [&waiters, queue, ticket](auto wake) {
             return Waiting{.place = waiters.wait(queue, ticket, std::move(wake)),
                            .pass_on = [&waiters, queue] { waiters.wake_next(queue); }};
           }};
  return response;
}

Response post_job_heartbeat(const Request& request, Services& services) {
  ObjectReader body(request.json());
  const auto attempt = read_attempt(request, body);
  const auto state = body.optional_string("state");
  if (state && *state != "running") body.problem("state", "must be running");
  body.finish();

  const auto heartbeat =
      services.job_leases.record_heartbeat(request.caller(), attempt, state.has_value());

  return json_response(200,
                       {{"cancel", heartbeat.is_cancelled},
                        {"lease_expires_at", format_rfc3339(heartbeat.lease_expires_at)}});
}

Response finish_job(const Request& request, Services& services) {
  ObjectReader body(request.json());
  const auto attempt = read_attempt(request, body);
  const auto finish = read_finish(body);
  body.finish();

  services.job_leases.finish(request.caller(), attempt, finish);

  const auto job = services.jobs.get(attempt.uuid);
  Visible is_visible(request, services);
  return json_response(200, job_document(job, services.jobs.details(job), is_visible));
}

}  // namespace mendel::registry::api
