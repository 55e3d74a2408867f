#include "cli/metric_points.h"

#include <fmt/core.h>

#include <algorithm>

#include "cli/key_value.h"
#include "cli/output.h"
#include "storage/base/clock.h"
#include "storage/utf8.h"

namespace mendel::cli {

namespace {

constexpr std::size_t kNameSizeMax = 255;

[[noreturn]] void refuse(const std::string& rule) {
  throw Error(ErrorCode::invalid_argument, rule);
}

void check_name(std::string_view name) {
  if (name.empty()) refuse("a metric has a name");
  if (name.size() > kNameSizeMax) refuse("the name of a metric has at most 255 bytes");
  const auto is_control = [](unsigned char c) { return c < ' ' || c == 0x7f; };
  if (!storage::is_utf8(name) || std::ranges::any_of(name, is_control)) {
    refuse("the name of a metric is UTF-8 without control characters");
  }
}

void check_step(const Json& step) {
  if (!step.is_number_integer() || step < 0 || step > kStepMax) {
    refuse("\"step\" is a whole number from 0 to 2^53");
  }
}

void check_value(const Json& value) {
  if (value.is_number()) return;
  if (value.is_string() &&
      (value == "NaN" || value == "Infinity" || value == "-Infinity")) {
    return;
  }
  refuse("\"value\" is a number, \"NaN\", \"Infinity\" or \"-Infinity\"");
}

const Json& member(const Json& point, const char* name) {
  const auto found = point.find(name);
  if (found == point.end()) refuse(fmt::format("\"{}\" is missing", name));
  return *found;
}

void check_members(const Json& point) {
  for (const auto& [name, value] : point.items()) {
    if (name != "name" && name != "step" && name != "value" && name != "time") {
      refuse(fmt::format("\"{}\" is not known here", printable(name)));
    }
  }
}

}  // namespace

std::string time_now() { return format_rfc3339(SystemClock().now()); }

Json metric_point(const std::string& metric, std::int64_t step, const std::string& time) {
  const KeyValue pair = parse_key_value("--metric", metric);
  check_name(pair.key);
  check_step(step);
  Json point = {{"name", pair.key}, {"step", step}, {"value", metric_value(pair)}};
  if (!time.empty()) point["time"] = format_rfc3339(parse_rfc3339(time));
  return point;
}

Json parse_metric_point(std::string_view line) {
  if (line.size() > kPointSizeMax) refuse("a point has at most 4096 bytes");
  Json point = Json::parse(line, nullptr, false);
  if (point.is_discarded()) {
    refuse("no JSON (NaN and infinities are \"NaN\", \"Infinity\", \"-Infinity\")");
  }
  if (!point.is_object()) refuse("no JSON object");
  check_members(point);
  if (!member(point, "name").is_string()) refuse("\"name\" is a text");
  check_name(point["name"].get_ref<const std::string&>());
  check_step(member(point, "step"));
  check_value(member(point, "value"));
  if (point.contains("time")) {
    if (!point["time"].is_string()) refuse("\"time\" is a text: 2024-02-13T00:00:00Z");
    parse_rfc3339(point["time"].get_ref<const std::string&>());
  }
  return point;
}

Json metrics_object(const std::vector<std::string>& metrics) {
  Json object = Json::object();
  for (const std::string& text : metrics) {
    const KeyValue metric = parse_key_value("--metric", text);
    check_name(metric.key);
    object[metric.key] = metric_value(metric);
  }
  return object;
}

}  // namespace mendel::cli
