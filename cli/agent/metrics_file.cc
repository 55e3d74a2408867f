#include "cli/agent/metrics_file.h"

#include <fmt/format.h>

#include "cli/metric_points.h"
#include "cli/output.h"

namespace mendel::cli {

namespace {

[[noreturn]] void refuse(const std::string& rule) {
  throw Error(ErrorCode::unprocessable, "the file of metrics " + rule);
}

bool is_point(const Json& object) {
  return object.contains("name") && object["name"].is_string() && object.contains("step") &&
         object.contains("value");
}

bool is_metric(const Json& value) {
  return value.is_number() || value == "NaN" || value == "Infinity" || value == "-Infinity";
}

Json checked(Json values) {
  if (values.empty()) refuse("has no metrics");
  for (const auto& [name, value] : values.items()) {
    if (!is_metric(value)) {
      refuse(
          fmt::format("has \"{}\", which is neither a number nor \"NaN\", \"Infinity\" "
                      "or \"-Infinity\"",
                      printable(name)));
    }
  }
  return values;
}

std::vector<Json> parse_points(std::string_view text) {
  std::vector<Json> points;
  for (std::size_t begin = 0, number = 1; begin < text.size(); ++number) {
    const auto end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = text.substr(begin, end - begin);
    begin = end + 1;
    if (line.find_first_not_of(" \t\r") == line.npos) continue;
    try {
      points.push_back(parse_metric_point(line));
    } catch (const Error& error) {
      refuse(fmt::format("is no JSON object of metrics, and its line {} no point: {}",
                         number, error.what()));
    }
  }
  if (points.empty()) refuse("is empty");
  return points;
}

}  // namespace

MetricsFile parse_metrics_file(std::string_view text) {
  if (text.size() > kMetricsFileSizeMax) {
    refuse(fmt::format("has more than {}", format_size(kMetricsFileSizeMax)));
  }
  MetricsFile metrics;
  Json whole = Json::parse(text, nullptr, false);
  if (whole.is_object() && !is_point(whole)) {
    metrics.values = checked(std::move(whole));
  } else {
    metrics.points = parse_points(text);
  }
  return metrics;
}

}  // namespace mendel::cli
