#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "registry/services/metric_intake.h"

namespace mendel::registry::api {

// Metrics as they come over the wire. Read without a document in between: there may be
// millions. Both throw invalid_argument with the first rule that is broken and where.

// {"metrics": [{"name": "loss", "step": 100, "value": 0.12, "time": "…"}]}
MetricBatch parse_metrics(std::string_view document);

class MetricBatchBuilder;

// The same entries, one on each line, of a body that comes in pieces. Batches of up to
// kBatchSizeMax entries are handed on as they fill up, so that a body of fewer is taken
// whole or not at all.
class MetricLines {
 public:
  using Take = std::function<void(const MetricBatch&)>;
  explicit MetricLines(Take take);
  ~MetricLines();

  void append(std::span<const std::byte> data);
  void finish();

  static constexpr std::size_t kBatchSizeMax = 8192;

 private:
  void read_line(std::string_view line);
  void hand_on();

  const Take take_;
  std::string rest_;  // a line that has not ended yet
  std::size_t line_count_ = 0;
  std::size_t handed_on_ = 0;  // lines

  std::unique_ptr<MetricBatchBuilder> builder_;
};

inline constexpr std::size_t kMetricNameSizeMax = 250;

}  // namespace mendel::registry::api
