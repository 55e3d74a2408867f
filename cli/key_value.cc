#include "cli/key_value.h"

#include <charconv>
#include <cmath>

namespace mendel::cli {

KeyValue parse_key_value(std::string_view option, std::string_view text) {
  const auto equals = text.find('=');
  if (equals == text.npos || equals == 0 || equals + 1 == text.size()) {
    throw Error(ErrorCode::invalid_argument,
                std::string(option) + " " + std::string(text) + ": write KEY=VALUE");
  }
  return {std::string(text.substr(0, equals)), std::string(text.substr(equals + 1))};
}

Json metric_value(const KeyValue& metric) {
  double number = 0;
  const char* end = metric.value.data() + metric.value.size();
  const auto [stop, status] = std::from_chars(metric.value.data(), end, number);
  if (status != std::errc() || stop != end) {
    throw Error(ErrorCode::invalid_argument,
                "the metric " + metric.key + " is no number: " + metric.value);
  }
  if (std::isnan(number)) return "NaN";
  if (std::isinf(number)) return number > 0 ? "Infinity" : "-Infinity";
  return number;
}

}  // namespace mendel::cli
