#include "schema/job_log.h"

#include "schema/transaction.h"

namespace mendel::schema {

namespace {

constexpr Statement kFindJobLog{"find_job_log", R"sql(
  select log_received, log_kept, ended_at is not null as has_ended
    from job_attempt where job_id = $1 and number = $2
)sql"};

constexpr Statement kAppendJobLog{"append_job_log", R"sql(
  with piece as (
    insert into job_log (job_id, attempt, position, bytes)
    values ($1, $2, $3, $4::bytea)
  ), counted as (
    update job set log_kept = log_kept + length($4::bytea) where id = $1
  )
  update job_attempt
     set log_kept = log_kept + length($4::bytea), log_received = $5
   where job_id = $1 and number = $2
)sql"};

constexpr Statement kSkipJobLog{"skip_job_log", R"sql(
  update job_attempt set log_received = $3 where job_id = $1 and number = $2
)sql"};

constexpr Statement kListJobLog{"list_job_log", R"sql(
  select position, bytes
    from job_log
   where job_id = $1 and attempt = $2
     and position >= coalesce((select max(position) from job_log
                                where job_id = $1 and attempt = $2 and position <= $3), 0)
   order by position
   limit $4
)sql"};

}  // namespace

std::optional<JobLogRow> find_job_log(Transaction& tx, std::int64_t job_id,
                                      std::int32_t attempt) {
  const auto row = tx.exec_optional(kFindJobLog, job_id, attempt);
  if (!row) return std::nullopt;
  return JobLogRow{.received = at<std::int64_t>(*row, "log_received"),
                   .kept = at<std::int64_t>(*row, "log_kept"),
                   .has_ended = at<bool>(*row, "has_ended")};
}

void append_job_log(Transaction& tx, std::int64_t job_id, std::int32_t attempt,
                    std::int64_t position, const std::vector<std::byte>& bytes,
                    std::int64_t received) {
  tx.exec(kAppendJobLog, job_id, attempt, position, bytes, received);
}

void skip_job_log(Transaction& tx, std::int64_t job_id, std::int32_t attempt,
                  std::int64_t received) {
  tx.exec(kSkipJobLog, job_id, attempt, received);
}

std::vector<JobLogPiece> list_job_log(Transaction& tx, std::int64_t job_id,
                                      std::int32_t attempt, std::int64_t offset,
                                      std::int64_t limit) {
  std::vector<JobLogPiece> pieces;
  for (const Row& row : tx.exec(kListJobLog, job_id, attempt, offset, limit)) {
    pieces.push_back(
        {at<std::int64_t>(row, "position"), at<std::vector<std::byte>>(row, "bytes")});
  }
  return pieces;
}

}  // namespace mendel::schema
