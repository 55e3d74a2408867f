#include "storage/base/clock.h"

#include <date/date.h>

#include <sstream>

#include "storage/base/error.h"

namespace mendel {

namespace {

std::optional<Timestamp> parse_as(const std::string& text, const char* format) {
  std::istringstream stream(text);
  Timestamp time;
  stream >> date::parse(format, time);
  if (stream.fail() || stream.peek() != std::istringstream::traits_type::eof()) {
    return std::nullopt;
  }
  return time;
}

}  // namespace

Timestamp SystemClock::now() const {
  return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
}

std::string format_rfc3339(Timestamp time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  if (seconds == time) return date::format("%FT%TZ", seconds);
  return date::format("%FT%TZ", time);
}

Timestamp parse_rfc3339(std::string_view text) {
  const std::string copy(text);
  if (copy.size() == 10) {
    if (const auto day = parse_as(copy, "%F")) {
      return *day + std::chrono::days(1) - std::chrono::microseconds(1);
    }
  }
  if (copy.ends_with('Z')) {
    if (const auto time = parse_as(copy, "%FT%TZ")) return *time;
  } else if (const auto time = parse_as(copy, "%FT%T%Ez")) {
    return *time;
  }
  throw Error(ErrorCode::invalid_argument,
              "a time is written as in RFC 3339: 2024-02-13T00:00:00Z or 2024-02-13");
}

}  // namespace mendel
