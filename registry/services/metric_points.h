#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "storage/base/clock.h"

namespace mendel::registry {

// One measured value of a run. A metric is known by a number within its run.
struct MetricPoint {
  std::int32_t name_id = 0;
  // Whether the time is part of what was said; if not, it is when the point was recorded.
  bool time_given = false;
  std::int64_t step = 0;
  double value = 0;
  Timestamp time{};

  // What makes two points of a run the same one, sent again.
  friend bool operator==(const MetricPoint& a, const MetricPoint& b) {
    return a.name_id == b.name_id && a.step == b.step &&
           std::bit_cast<std::uint64_t>(a.value) == std::bit_cast<std::uint64_t>(b.value) &&
           a.time_given == b.time_given && (!a.time_given || a.time == b.time);
  }
};

struct MetricPointHash {
  std::size_t operator()(const MetricPoint& point) const;
};

// Steps are whole numbers that JSON carries exactly.
inline constexpr std::int64_t kMetricStepMax = std::int64_t{1} << 53;

// The format is drawn in metric_points.cc.
std::vector<std::byte> encode_points(std::span<const MetricPoint> points);

// Throws data_loss for what encode_points() does not write.
std::vector<MetricPoint> decode_points(std::span<const std::byte> bytes);

}  // namespace mendel::registry
