#include "registry/services/jobs/admission.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <vector>

#include "schema/changes.h"
#include "schema/jobs.h"

namespace mendel::registry {

namespace {

constexpr std::string_view kTopicPrefix = "queue/";
constexpr std::int64_t kAdmittedAtOnceMax = 1000;
constexpr auto kDay = std::chrono::hours(24);

constexpr std::int64_t kUnlimited = std::numeric_limits<std::int64_t>::max();

// What the limits still leave room for.
struct Room {
  std::int64_t at_once = kUnlimited;
  std::int64_t today = kUnlimited;
};

Room room_in(schema::Transaction& tx, const schema::PipelineRow& pipeline, Timestamp now) {
  Room room;
  if (pipeline.concurrency) {
    room.at_once = *pipeline.concurrency - schema::count_admitted_jobs(tx, pipeline.id);
  }
  if (pipeline.per_day) {
    room.today =
        *pipeline.per_day - schema::count_jobs_admitted_since(tx, pipeline.id, now - kDay);
  }
  return room;
}

}  // namespace

std::string queue_topic(std::string_view queue) {
  return std::string(kTopicPrefix).append(queue);
}

std::optional<std::string_view> queue_of_topic(std::string_view topic) {
  if (!topic.starts_with(kTopicPrefix)) return std::nullopt;
  return topic.substr(kTopicPrefix.size());
}

// A job that is tried again on the day on which it was first admitted has its place
// already.
Queues admit_waiting_jobs(schema::Transaction& tx, const schema::PipelineRow& pipeline,
                          Timestamp now) {
  Room room = room_in(tx, pipeline, now);
  Queues queues;
  while (room.at_once > 0) {
    const std::int64_t wanted = std::min(room.at_once, kAdmittedAtOnceMax);
    const auto waiting =
        schema::lock_waiting_jobs(tx, pipeline.id, now, now - kDay, wanted);
    std::vector<std::int64_t> admitted;
    for (const schema::WaitingJob& job : waiting) {
      if (!job.was_admitted_since && room.today <= 0) continue;
      if (!job.was_admitted_since) --room.today;
      admitted.push_back(job.id);
      queues.insert(job.queue);
    }
    if (!admitted.empty()) schema::admit_jobs(tx, admitted, now);
    room.at_once -= static_cast<std::int64_t>(admitted.size());
    const bool were_all = static_cast<std::int64_t>(waiting.size()) < wanted;
    if (were_all || admitted.size() < waiting.size()) break;
  }
  for (const std::string& queue : queues) schema::record_change(tx, queue_topic(queue));
  return queues;
}

Queues admit_waiting_jobs_of(schema::Transaction& tx, std::int64_t pipeline_id,
                             Timestamp now) {
  const auto pipeline = schema::lock_pipeline(tx, pipeline_id);
  if (!pipeline) return {};
  return admit_waiting_jobs(tx, *pipeline, now);
}

}  // namespace mendel::registry
