#pragma once

#include <string_view>
#include <vector>

#include "cli/api_client.h"

namespace mendel::cli {

// What a command says of how good its result is: either one object of metrics of the
// version, {"chi2_ndf": 2.4}, or points of the run's curves as NDJSON, each
// {"name", "step", "value"}.
struct MetricsFile {
  Json values = Json::object();
  std::vector<Json> points;
};

// Throws unprocessable: what is wrong, and in which line of points.
MetricsFile parse_metrics_file(std::string_view text);

inline constexpr std::size_t kMetricsFileSizeMax = 32u << 20;

}  // namespace mendel::cli
