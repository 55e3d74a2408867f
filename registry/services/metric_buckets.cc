#include "registry/services/metric_buckets.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace mendel::registry {

// Steps are below 2^53 and buckets few, so that their product is exact in 128 bits.
__extension__ using WideNumber = unsigned __int128;

MetricBuckets::MetricBuckets(schema::StepRange steps, std::size_t count)
    : steps_(steps), buckets_(std::max<std::size_t>(1, count)) {}

std::size_t MetricBuckets::index_of(std::int64_t step) const {
  const auto width = static_cast<WideNumber>(steps_.last - steps_.first) + 1;
  const auto offset = static_cast<WideNumber>(step - steps_.first);
  return static_cast<std::size_t>(offset * buckets_.size() / width);
}

void MetricBuckets::add(const MetricPoint& point) {
  MetricReading::Bucket& bucket = buckets_[index_of(point.step)];
  const bool is_first = bucket.count++ == 0;
  if (is_first || point.step >= bucket.last_step) {
    bucket.last_step = point.step;
    bucket.last = point.value;
  }
  if (is_first || point.step < bucket.first_step) bucket.first_step = point.step;
  if (std::isnan(point.value)) return;
  bucket.min = std::min(bucket.min.value_or(point.value), point.value);
  bucket.max = std::max(bucket.max.value_or(point.value), point.value);
}

std::vector<MetricReading::Bucket> MetricBuckets::take() {
  std::erase_if(buckets_, [](const auto& bucket) { return bucket.count == 0; });
  return std::move(buckets_);
}

}  // namespace mendel::registry
