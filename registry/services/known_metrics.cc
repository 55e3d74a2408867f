#include "registry/services/known_metrics.h"

#include <algorithm>
#include <vector>

#include "storage/base/error.h"

namespace mendel::registry {

namespace {

constexpr std::size_t kMetricMemoryBytes = 512;  // of the map's node and recent points

}  // namespace

KnownMetrics::Verdict KnownMetrics::Metric::judge(const MetricPoint& point) const {
  if (point.step <= forgotten_step_) return Verdict::unknown;
  for (auto known = recent_.rbegin(); known != recent_.rend(); ++known) {
    if (known->step < point.step) break;
    if (*known == point) return Verdict::is_there;
  }
  return Verdict::is_new;
}

void KnownMetrics::Metric::remember(const MetricPoint& point) {
  if (point.step <= forgotten_step_) return;
  const auto place = std::ranges::upper_bound(recent_, point.step, {}, &MetricPoint::step);
  recent_.insert(place, point);
  if (recent_.size() > kRecentMax) forget_up_to(recent_.front().step);
}

void KnownMetrics::Metric::forget_up_to(std::int64_t step) {
  forgotten_step_ = std::max(forgotten_step_, step);
  std::erase_if(recent_, [&](const MetricPoint& p) { return p.step <= forgotten_step_; });
}

std::size_t KnownMetrics::memory_bytes() const {
  std::size_t bytes = sizeof(KnownMetrics);
  for (const auto& [name, metric] : metrics) bytes += kMetricMemoryBytes + name.size();
  return bytes;
}

KnownMetrics load_known_metrics(schema::Transaction& tx, RunId run) {
  const auto log = get_metric_log(tx, run);
  KnownMetrics known{.run = run,
                     .ns = log.namespace_id,
                     .block_count = log.block_count,
                     .closed = log.closed,
                     .stale = false,
                     .metrics = {}};
  std::vector<KnownMetrics::Metric*> by_id(static_cast<std::size_t>(log.name_count));
  for (const auto& row : schema::list_run_metrics(tx, run)) {
    KnownMetrics::Metric& metric = known.metrics[row.name];
    metric.name_id = row.name_id;
    if (row.last) metric.forget_up_to(row.last->step);
    by_id.at(static_cast<std::size_t>(row.name_id)) = &metric;
  }
  visit_blocks(tx, log, log.folded_count, [&](std::span<const MetricPoint> points) {
    for (const MetricPoint& point : points) {
      const auto id = static_cast<std::size_t>(point.name_id);
      if (id >= by_id.size() || by_id[id] == nullptr) {
        throw Error(ErrorCode::data_loss, "stored metrics are damaged: unknown name");
      }
      by_id[id]->remember(point);
    }
  });
  return known;
}

}  // namespace mendel::registry
