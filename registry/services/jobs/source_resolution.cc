#include "registry/services/jobs/source_resolution.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>

#include "registry/services/jobs/admission.h"
#include "registry/services/jobs/attempt_end.h"
#include "registry/services/pause.h"
#include "schema/job_attempts.h"

namespace mendel::registry {

namespace {

using std::chrono::seconds;

constexpr auto kPeriod = std::chrono::milliseconds(500);
constexpr std::size_t kThreads = 3;

// Kept as long as one asks, so that the jobs of a server that is killed wait no longer.
constexpr auto kClaim = seconds(10);
constexpr auto kClaimKeepPeriod = seconds(3);

constexpr auto kPatience = std::chrono::hours(3 * 24);
constexpr std::int64_t kFirstPauseSeconds = 5;
constexpr std::int64_t kPauseSecondsMax = 3600;
constexpr std::size_t kProblemSizeMax = 500;

bool stays_so(ErrorCode code) {
  return code == ErrorCode::not_found || code == ErrorCode::permission_denied ||
         code == ErrorCode::invalid_argument || code == ErrorCode::unprocessable;
}

seconds pause_after(std::int32_t failures) {
  constexpr std::int32_t kDoublingsMax = 10;
  return seconds(
      std::min(kFirstPauseSeconds << std::min(failures, kDoublingsMax), kPauseSecondsMax));
}

// While this lives, nobody else asks for the source. Should PostgreSQL be away for so long
// that another does, both tell the jobs the same.
class KeptClaim {
 public:
  KeptClaim(schema::Database& database, const Clock& clock, schema::WantedSource source)
      : thread_([&database, &clock, source](std::stop_token stop) {
          keep(database, clock, source, stop);
        }) {}

 private:
  static void keep(schema::Database& database, const Clock& clock,
                   schema::WantedSource source, std::stop_token stop) {
    for (;;) {
      pause_unless_stopped(stop, kClaimKeepPeriod);
      if (stop.stop_requested()) return;
      try {
        const Timestamp until = clock.now() + kClaim;
        database.transact("keep a claim of a source", [&](schema::Transaction& tx) {
          schema::keep_claim(tx, source, until);
        });
        source.claimed_until = until;
      } catch (const Error& error) {
        spdlog::debug("a claim of {} is not kept: {}", source.repository, error.what());
      }
    }
  }

  std::jthread thread_;
};

}  // namespace

void SourceResolution::start() {
  for (std::size_t i = 0; i < kThreads; ++i) {
    threads_.emplace_back([this](std::stop_token stop) { run(stop); });
  }
}

void SourceResolution::stop() {
  for (std::jthread& thread : threads_) thread.request_stop();
  threads_.clear();
}

void SourceResolution::run(std::stop_token stop) {
  bool away = false;  // PostgreSQL was not to be had
  while (!stop.stop_requested()) {
    try {
      while (!stop.stop_requested() && resolve_one()) continue;
      if (away) spdlog::info("commits of jobs are looked for again");
      away = false;
    } catch (const Error& error) {
      if (!away) spdlog::warn("commits of jobs are not looked for: {}", error.what());
      away = true;
    }
    pause_unless_stopped(stop, kPeriod);
  }
}

bool SourceResolution::resolve_one() {
  const Timestamp asked_at = clock_.now();
  const auto source =
      database_.transact("claim a source of jobs", [&](schema::Transaction& tx) {
        return schema::claim_wanted_source(tx, asked_at, asked_at + kClaim);
      });
  if (!source) return false;
  std::string commit;
  try {
    const KeptClaim claim(database_, clock_, *source);
    commit = resolver_.commit_of(source->repository, source->ref);
  } catch (const Error& error) {
    note_failure(*source, error, asked_at);
    return true;
  }
  tell(*source, commit, asked_at);
  return true;
}

// Pipelines are locked by number, as everywhere where several are.
void SourceResolution::tell(const schema::WantedSource& source, const std::string& commit,
                            Timestamp asked_at) {
  const auto queues =
      database_.transact("give jobs their commit", [&](schema::Transaction& tx) {
        Queues all;
        for (const auto pipeline :
             schema::set_commit_of_jobs(tx, source, commit, asked_at)) {
          all.merge(admit_waiting_jobs_of(tx, pipeline, clock_.now()));
        }
        return all;
      });
  for (const std::string& queue : queues) changes_.announce(queue_topic(queue));
}

void SourceResolution::note_failure(const schema::WantedSource& source, const Error& error,
                                    Timestamp asked_at) {
  const std::string problem = std::string(error.what()).substr(0, kProblemSizeMax);
  if (stays_so(error.code())) {
    return fail_jobs(source, "the source is not to be had: " + problem, asked_at);
  }
  if (asked_at - source.since > kPatience) {
    fail_jobs(source, "the source was away for three days: " + problem,
              asked_at - kPatience);
  }
  database_.transact("postpone a source of jobs", [&](schema::Transaction& tx) {
    schema::postpone_source(tx, source, problem, asked_at + pause_after(source.failures));
  });
}

void SourceResolution::fail_jobs(const schema::WantedSource& source, const std::string& why,
                                 Timestamp made_before) {
  database_.transact("fail jobs without a source", [&](schema::Transaction& tx) {
    const Timestamp now = clock_.now();
    for (const auto id : schema::lock_jobs_waiting_for_source(tx, source, made_before)) {
      const auto job = schema::lock_job_by_id(tx, id);
      fail_job(tx, *job, why, now);
    }
  });
}

}  // namespace mendel::registry
