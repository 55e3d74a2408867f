#include "registry/services/jobs/job_upkeep.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <string>
#include <vector>

#include "registry/services/jobs/admission.h"
#include "registry/services/jobs/attempt_end.h"
#include "registry/services/pause.h"
#include "schema/job_attempts.h"
#include "storage/base/error.h"

namespace mendel::registry {

namespace {

constexpr auto kPeriod = std::chrono::seconds(1);
constexpr std::int64_t kPipelinesListedMax = 1000;

}  // namespace

void JobUpkeep::start() {
  thread_ = std::jthread([this](std::stop_token stop) { run(stop); });
}

void JobUpkeep::stop() { thread_ = std::jthread(); }

void JobUpkeep::run(std::stop_token stop) {
  while (!stop.stop_requested()) {
    try {
      look_after();
      if (away_) spdlog::info("jobs are looked after again");
      away_ = false;
    } catch (const Error& error) {
      if (!away_) spdlog::warn("jobs are not looked after: {}", error.what());
      away_ = true;
    }
    pause_unless_stopped(stop, kPeriod);
  }
}

void JobUpkeep::look_after() {
  renew_after_an_outage();
  end_expired();
  admit_due();
  announce_unleased();
}

void JobUpkeep::renew_after_an_outage() {
  const auto renewed = database_.transact("look after jobs", [&](schema::Transaction& tx) {
    const Timestamp now = clock_.now();
    const auto looked_at = schema::record_job_upkeep(tx, now);
    if (!looked_at || now - *looked_at <= kOutage) return std::int64_t{0};
    return schema::renew_job_leases(tx, now);
  });
  if (renewed > 0) spdlog::info("after an outage {} leases of jobs are renewed", renewed);
}

// One attempt to a transaction, whose locks then follow those of everybody else: a job, and
// then its pipeline.
void JobUpkeep::end_expired() {
  for (bool found = true; found;) {
    std::string uuid;
    const auto queues =
        database_.transact("end an attempt at a job", [&](schema::Transaction& tx) {
          const Timestamp now = clock_.now();
          const auto expired = schema::lock_jobs_with_expired_leases(tx, now, 1);
          uuid.clear();
          if (expired.empty()) return Queues();
          const auto job = schema::lock_job_by_id(tx, expired.front());
          uuid = job->uuid;
          return end_attempt(tx, *job,
                             {.state = "lost",
                              .reason = fmt::format("{} has not been heard of for {} s",
                                                    job->agent, *job->lease_seconds),
                              .actor = "server",
                              .exit_status = std::nullopt,
                              .resources = std::nullopt},
                             now);
        });
    found = !uuid.empty();
    if (found) spdlog::info("the attempt at job {} is lost", uuid);
    for (const std::string& queue : queues) changes_.announce(queue_topic(queue));
  }
}

void JobUpkeep::admit_due() {
  std::int64_t after = 0;
  for (auto listed = kPipelinesListedMax; listed == kPipelinesListedMax;) {
    const auto pipelines =
        database_.read("list pipelines with waiting jobs", [&](schema::Transaction& tx) {
          return schema::list_pipelines_with_waiting_jobs(tx, clock_.now(), after,
                                                          kPipelinesListedMax);
        });
    for (const auto pipeline : pipelines) {
      const auto queues = database_.transact("admit jobs", [&](schema::Transaction& tx) {
        return admit_waiting_jobs_of(tx, pipeline, clock_.now());
      });
      for (const std::string& queue : queues) changes_.announce(queue_topic(queue));
    }
    listed = static_cast<std::int64_t>(pipelines.size());
    if (listed > 0) after = pipelines.back();
  }
}

// An announcement wakes one agent, who may not be allowed to have the job: then the next is
// asked a second later.
void JobUpkeep::announce_unleased() {
  const auto queues = database_.read(
      "list queues with jobs to lease",
      [&](schema::Transaction& tx) { return schema::list_queues_to_lease(tx); });
  for (const std::string& queue : queues) changes_.announce(queue_topic(queue));
}

}  // namespace mendel::registry
