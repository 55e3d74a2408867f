#include "registry/services/jobs/job_logs.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <vector>

#include "schema/job_log.h"
#include "storage/base/error.h"

namespace mendel::registry {

namespace {

constexpr std::int64_t kPiecesReadMax = 1024;
constexpr std::string_view kNoteOfTheEnd =
    "\nmendel: a job's log has at most 64 MiB: what follows is not kept\n";

std::vector<std::byte> copy_of(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

[[noreturn]] void refuse_gap(const JobLeases::AttemptKey& attempt, std::int64_t received) {
  throw Error(
      ErrorCode::already_exists,
      fmt::format("the log of attempt {} goes on at byte {}", attempt.number, received),
      {{"/offset", fmt::format("{}", received)}});
}

}  // namespace

std::int64_t JobLogs::append(const Caller& caller, const JobLeases::AttemptKey& attempt,
                             std::int64_t offset, std::string_view bytes) {
  return database_.transact("append to a log", [&](schema::Transaction& tx) {
    const schema::JobRow job = lock_attempt(tx, caller, attempt);
    const auto log = schema::find_job_log(tx, job.id, attempt.number).value();
    if (offset > log.received) refuse_gap(attempt, log.received);
    const auto known = static_cast<std::size_t>(log.received - offset);
    if (known >= bytes.size()) return log.received;
    const std::string_view fresh = bytes.substr(known);
    const auto received = log.received + static_cast<std::int64_t>(fresh.size());
    const std::int64_t room = kJobBytesMax - job.log_kept;
    if (room <= 0) {
      schema::skip_job_log(tx, job.id, attempt.number, received);
      return received;
    }
    std::string kept(fresh.substr(0, static_cast<std::size_t>(room)));
    if (kept.size() < fresh.size()) kept += kNoteOfTheEnd;
    schema::append_job_log(tx, job.id, attempt.number, log.kept, copy_of(kept), received);
    return received;
  });
}

JobLogs::Piece JobLogs::read(std::int64_t job_id, std::int32_t attempt,
                             std::int64_t offset) {
  return database_.read("read a log", [&](schema::Transaction& tx) {
    const auto log = schema::find_job_log(tx, job_id, attempt);
    if (!log) {
      throw Error(ErrorCode::not_found, fmt::format("there was no attempt {}", attempt));
    }
    Piece piece{.bytes = "", .size = log->kept, .is_last = false};
    for (const auto& [position, bytes] :
         schema::list_job_log(tx, job_id, attempt, offset, kPiecesReadMax)) {
      const auto end = position + static_cast<std::int64_t>(bytes.size());
      const std::int64_t from = std::max(offset, position);
      if (from >= end) continue;
      const std::int64_t room =
          kPieceBytesMax - static_cast<std::int64_t>(piece.bytes.size());
      const auto size = static_cast<std::size_t>(std::min(end - from, room));
      const auto* first = reinterpret_cast<const char*>(bytes.data()) + (from - position);
      piece.bytes.append(first, size);
      if (static_cast<std::int64_t>(piece.bytes.size()) == kPieceBytesMax) break;
    }
    const auto end = offset + static_cast<std::int64_t>(piece.bytes.size());
    piece.is_last = log->has_ended && end >= log->kept;
    return piece;
  });
}

}  // namespace mendel::registry
