#include "registry/api/job_log.h"

#include <fmt/format.h>

#include <charconv>
#include <limits>
#include <string>

#include "registry/api/job_access.h"
#include "registry/api/json.h"
#include "registry/services/jobs/job_logs.h"
#include "registry/services/jobs/jobs.h"
#include "storage/base/uuid.h"

namespace mendel::registry::api {

namespace {

std::optional<std::int64_t> number_query(const Request& request, std::string_view name,
                                         std::int64_t min, std::int64_t max) {
  const auto text = request.query(name);
  if (!text) return std::nullopt;
  std::int64_t number = -1;
  const char* const end = text->data() + text->size();
  const auto [stopped, status] = std::from_chars(text->data(), end, number);
  if (status != std::errc() || stopped != end || number < min || number > max) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("{} is a whole number from {}", name, min));
  }
  return number;
}

std::optional<std::int64_t> offset_of(const Request& request) {
  return number_query(request, "offset", 0, std::numeric_limits<std::int64_t>::max());
}

std::optional<std::int32_t> attempt_of(const Request& request) {
  const auto number =
      number_query(request, "attempt", 1, std::numeric_limits<std::int32_t>::max());
  if (!number) return std::nullopt;
  return static_cast<std::int32_t>(*number);
}

}  // namespace

Response post_job_log(const Request& request, Services& services) {
  const auto attempt = attempt_of(request);
  const auto offset = offset_of(request);
  if (!attempt || !offset) {
    throw Error(ErrorCode::invalid_argument, "attempt and offset are required");
  }
  if (!is_uuid(request.path("id"))) throw no_job(request.path("id"));

  const auto size = services.job_logs.append(request.caller(),
                                             {std::string(request.path("id")), *attempt},
                                             *offset, request.body());

  return json_response(200, {{"log_size", size}});
}

Response get_job_log(const Request& request, Services& services) {
  const auto asked = attempt_of(request);
  const auto offset = offset_of(request).value_or(0);
  const auto job = readable_job(request, services);
  const std::int32_t attempt = asked.value_or(job.attempt);

  // A job that was never begun has a log without bytes.
  JobLogs::Piece piece;
  if (attempt == 0) {
    piece.is_last = job.has_ended();
  } else {
    piece = services.job_logs.read(job.id, attempt, offset);
  }

  Response response;
  response.headers.set("Content-Type", "text/plain; charset=utf-8");
  response.headers.set("Cache-Control", "no-cache");
  response.headers.set("X-Content-Type-Options", "nosniff");
  response.headers.set("Mendel-Attempt", std::to_string(attempt));
  response.headers.set("Mendel-Log-Size", std::to_string(piece.size));
  // Until the job has ended another attempt may follow, which has a log of its own.
  if (piece.is_last && (job.has_ended() || attempt < job.attempt)) {
    response.headers.set("Mendel-Log-End", "true");
  }
  response.body = std::move(piece.bytes);
  return response;
}

}  // namespace mendel::registry::api
