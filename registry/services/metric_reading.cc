#include "registry/services/metric_reading.h"

#include <algorithm>
#include <map>
#include <utility>

#include "registry/services/metric_buckets.h"
#include "storage/base/error.h"

namespace mendel::registry {

namespace {

schema::RunMetricRow get_metric(schema::Transaction& tx, RunId run,
                                const std::string& name) {
  auto row = schema::find_run_metric(tx, run, name);
  if (!row) throw Error(ErrorCode::not_found, "the run has no metric '" + name + "'");
  return std::move(*row);
}

// The points that no sums hold yet.
void visit_unfolded(schema::Transaction& tx, RunId run, const VisitPoints& visit) {
  const auto log = get_metric_log(tx, run);
  visit_blocks(tx, log, log.folded_count, visit);
}

}  // namespace

std::vector<MetricReading::NamedSums> MetricReading::sums(RunId run) {
  auto found = database_.read("sum up a run's metrics", [&](schema::Transaction& tx) {
    std::vector<NamedSums> all;
    for (auto& row : schema::list_run_metrics(tx, run)) {
      all.push_back({row.name_id, row.name, sums_of(row)});
    }
    visit_unfolded(tx, run, [&](std::span<const MetricPoint> points) {
      for (const MetricPoint& point : points) {
        all.at(static_cast<std::size_t>(point.name_id)).sums.add(point);
      }
    });
    return all;
  });
  std::ranges::sort(found, {}, &NamedSums::name);
  return found;
}

MetricSums MetricReading::sums(RunId run, const std::string& name) {
  return database_.read("sum up a metric", [&](schema::Transaction& tx) {
    const auto row = get_metric(tx, run, name);
    MetricSums sums = sums_of(row);
    visit_unfolded(tx, run, [&](std::span<const MetricPoint> points) {
      for (const MetricPoint& point : points) {
        if (point.name_id == row.name_id) sums.add(point);
      }
    });
    return sums;
  });
}

// Keeps the lowest points that follow, and no more of them than a page has.
MetricReading::PointPage MetricReading::points(RunId run, const std::string& name,
                                               Position after, std::size_t limit) {
  struct Entry {
    MetricPoint point;
    std::uint64_t recorded;
    bool operator<(const Entry& other) const {
      return std::pair(point.step, recorded) < std::pair(other.point.step, other.recorded);
    }
  };
  const std::size_t wanted = limit + 1;
  std::vector<Entry> lowest = database_.read("read a metric", [&](schema::Transaction& tx) {
    std::vector<Entry> heap;
    std::uint64_t recorded = 0;
    std::int64_t seen = 0;
    const auto row = get_metric(tx, run, name);
    visit_points(tx, get_metric_log(tx, run), row.name_id, {after.step, kMetricStepMax},
                 [&](std::span<const MetricPoint> points) {
                   for (const MetricPoint& point : points) {
                     if (point.step == after.step && seen++ < after.seen) continue;
                     const Entry entry{point, recorded++};
                     if (heap.size() == wanted) {
                       if (!(entry < heap.front())) continue;
                       std::pop_heap(heap.begin(), heap.end());
                       heap.pop_back();
                     }
                     heap.push_back(entry);
                     std::push_heap(heap.begin(), heap.end());
                   }
                 });
    return heap;
  });
  std::sort_heap(lowest.begin(), lowest.end());

  PointPage page;
  const bool has_more = lowest.size() == wanted;
  if (has_more) lowest.pop_back();
  for (const Entry& entry : lowest) page.points.push_back(entry.point);
  if (has_more) {
    const std::int64_t step = page.points.back().step;
    const auto at_step = std::ranges::count(page.points, step, &MetricPoint::step);
    page.next = Position{step, at_step + (step == after.step ? after.seen : 0)};
  }
  return page;
}

std::vector<MetricReading::Bucket> MetricReading::buckets(RunId run,
                                                          const std::string& name,
                                                          std::size_t buckets_max) {
  return database_.read("sample a metric", [&](schema::Transaction& tx) {
    const auto row = get_metric(tx, run, name);
    const auto log = get_metric_log(tx, run);
    std::optional<schema::StepRange> steps =
        schema::find_metric_steps(tx, run, row.name_id);
    visit_blocks(tx, log, log.compacted_count, [&](std::span<const MetricPoint> points) {
      for (const MetricPoint& point : points) {
        if (point.name_id != row.name_id) continue;
        if (!steps) steps = {point.step, point.step};
        steps->first = std::min(steps->first, point.step);
        steps->last = std::max(steps->last, point.step);
      }
    });
    MetricBuckets buckets(steps.value_or(schema::StepRange{}), buckets_max);
    visit_points(tx, log, row.name_id, kAllSteps, [&](std::span<const MetricPoint> points) {
      for (const MetricPoint& point : points) buckets.add(point);
    });
    return buckets.take();
  });
}

}  // namespace mendel::registry
