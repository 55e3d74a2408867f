#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/api_client.h"

namespace mendel::cli {

// A point as the wire has it: {"name", "step", "value", "time"}. What is wrong with it is
// said here and not first by a server that may be far away. Each throws invalid_argument.

// Of "NAME=VALUE" as it was given to --metric; time may be empty: the server takes its own,
// and what is sent again without one is the same point.
Json metric_point(const std::string& metric, std::int64_t step, const std::string& time);

// Of a line of NDJSON.
Json parse_metric_point(std::string_view line);

// {"chi2_ndf": 2.4} of several --metric.
Json metrics_object(const std::vector<std::string>& metrics);

// The time, for what has to say when it was.
std::string time_now();

inline constexpr std::int64_t kStepMax = std::int64_t{1} << 53;
inline constexpr std::size_t kPointsPerRequestMax = 2'000;
inline constexpr std::size_t kPointSizeMax = 4096;

}  // namespace mendel::cli
