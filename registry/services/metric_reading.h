#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "registry/services/metric_sums.h"
#include "registry/services/stored_metrics.h"
#include "schema/database.h"

namespace mendel::registry {

// Answers about the metrics of a run, exact up to the last batch that was taken. Callers
// have been authorised. Any thread.
class MetricReading {
 public:
  explicit MetricReading(schema::Database& database) : database_(database) {}

  struct NamedSums {
    std::int32_t name_id = 0;
    std::string name;
    MetricSums sums;
  };
  // By name.
  std::vector<NamedSums> sums(RunId run);
  MetricSums sums(RunId run, const std::string& name);  // throws not_found

  // Where a page of points goes on: so many of the points at this step were seen.
  struct Position {
    std::int64_t step = 0;
    std::int64_t seen = 0;
  };
  struct PointPage {
    std::vector<MetricPoint> points;  // by step, of one step in the order of recording
    std::optional<Position> next;
  };
  // Throws not_found.
  PointPage points(RunId run, const std::string& name, Position after, std::size_t limit);

  // Points of neighbouring steps in one.
  struct Bucket {
    std::int64_t first_step = 0;
    std::int64_t last_step = 0;
    std::int64_t count = 0;
    std::optional<double> min;  // none where all is NaN
    std::optional<double> max;
    double last = 0;
  };
  // Up to buckets_max buckets of equal width; those without points are left out. Throws
  // not_found.
  std::vector<Bucket> buckets(RunId run, const std::string& name, std::size_t buckets_max);

 private:
  schema::Database& database_;
};

}  // namespace mendel::registry
