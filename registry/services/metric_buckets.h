#pragma once

#include <cstddef>
#include <vector>

#include "registry/services/metric_reading.h"

namespace mendel::registry {

// Cuts the steps from first to last into ranges of equal width, and sums up the points of
// each. They may be added in any order; of those at one step the later one counts as last.
class MetricBuckets {
 public:
  MetricBuckets(schema::StepRange steps, std::size_t count);

  void add(const MetricPoint& point);

  // Those that have points.
  std::vector<MetricReading::Bucket> take();

 private:
  std::size_t index_of(std::int64_t step) const;

  const schema::StepRange steps_;
  std::vector<MetricReading::Bucket> buckets_;
};

}  // namespace mendel::registry
