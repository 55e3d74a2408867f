// A schedule is followed day by day on the clock of its zone: the days that it names, then
// the minutes of such a day that it names, each turned into the moment, or moments, at
// which that clock shows it.

#include "registry/services/triggers/cron.h"

#include <date/date.h>
#include <date/tz.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <span>
#include <utility>
#include <vector>

#include "storage/base/error.h"

namespace mendel::registry {

namespace {

constexpr std::size_t kExpressionSizeMax = 200;
constexpr std::size_t kZoneSizeMax = 64;

// 29 February on a given day of the week comes every 28 years, or 40 around 2100.
constexpr int kDaysSearchedMax = 41 * 366;

constexpr int kHoursOfADay = 24;
constexpr int kMinutesOfAnHour = 60;
constexpr std::uint64_t kEveryHour = (1ull << kHoursOfADay) - 1;

constexpr std::array<std::string_view, 12> kMonths{
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> kWeekdays{"sun", "mon", "tue", "wed",
                                                    "thu", "fri", "sat"};

bool has(std::uint64_t bits, unsigned value) { return (bits >> value & 1) != 0; }

struct Field {
  std::string_view name;
  int min;
  int max;
  std::span<const std::string_view> names;  // of the values from min on
};

constexpr Field kMinute{"minute", 0, 59, {}};
constexpr Field kHour{"hour", 0, 23, {}};
constexpr Field kDay{"day of the month", 1, 31, {}};
constexpr Field kMonth{"month", 1, 12, kMonths};
constexpr Field kWeekday{"day of the week", 0, 7, kWeekdays};

[[noreturn]] void refuse(const Field& field, const std::string& why) {
  throw Error(ErrorCode::invalid_argument, fmt::format("{}: {}", field.name, why));
}

std::string lower(std::string_view text) {
  std::string folded(text);
  for (char& c : folded) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return folded;
}

std::optional<int> parse_number(std::string_view text) {
  int number = 0;
  const auto [end, status] =
      std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || text[0] == '-' || status != std::errc() ||
      end != text.data() + text.size()) {
    return std::nullopt;
  }
  return number;
}

int parse_value(const Field& field, std::string_view text) {
  const auto named = std::ranges::find(field.names, lower(text));
  if (named != field.names.end()) {
    return field.min + static_cast<int>(named - field.names.begin());
  }
  const auto number = parse_number(text);
  if (!number) refuse(field, fmt::format("'{}' is no number", text));
  if (*number < field.min || *number > field.max) {
    refuse(field, fmt::format("{} is not from {} to {}", *number, field.min, field.max));
  }
  return *number;
}

// "*", "3", "mon-fri", "*/5", "10-40/10".
std::uint64_t parse_part(const Field& field, std::string_view text) {
  int step = 1;
  const auto slash = text.find('/');
  if (slash != std::string_view::npos) {
    const auto number = parse_number(text.substr(slash + 1));
    if (!number || *number < 1 || *number > field.max) {
      refuse(field, fmt::format("the step '{}' is not from 1 to {}", text.substr(slash + 1),
                                field.max));
    }
    step = *number;
    text = text.substr(0, slash);
  }
  int from = field.min;
  int to = field.max;
  if (text != "*") {
    const auto dash = text.find('-');
    from = parse_value(field, text.substr(0, dash));
    if (dash != std::string_view::npos) {
      to = parse_value(field, text.substr(dash + 1));
    } else if (slash == std::string_view::npos) {
      to = from;
    }
    if (to < from) refuse(field, fmt::format("'{}' ends before it begins", text));
  }
  std::uint64_t bits = 0;
  for (int value = from; value <= to; value += step) bits |= 1ull << value;
  return bits;
}

std::uint64_t parse_field(const Field& field, std::string_view text) {
  std::uint64_t bits = 0;
  for (std::size_t begin = 0; begin <= text.size();) {
    const auto end = std::min(text.find(',', begin), text.size());
    bits |= parse_part(field, text.substr(begin, end - begin));
    begin = end + 1;
  }
  return bits;
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  for (std::size_t begin = 0;;) {
    begin = text.find_first_not_of(" \t", begin);
    if (begin == std::string_view::npos) return words;
    const auto end = std::min(text.find_first_of(" \t", begin), text.size());
    words.push_back(text.substr(begin, end - begin));
    begin = end;
  }
}

// A name that is given to the time zone library names no file outside its database.
const date::time_zone* find_zone(const std::string& name) {
  const bool is_name = !name.empty() && name.size() <= kZoneSizeMax &&
                       name.front() != '/' && std::ranges::all_of(name, [](char c) {
                         return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                                (c >= '0' && c <= '9') || c == '/' || c == '_' ||
                                c == '+' || c == '-';
                       });
  if (is_name) {
    try {
      return date::locate_zone(name);
    } catch (const std::exception&) {
    }
  }
  throw Error(ErrorCode::invalid_argument,
              fmt::format("there is no time zone '{}'", name.substr(0, kZoneSizeMax)));
}

enum class Repeated { first, both };

// The moments at which a clock of the zone shows this time.
struct Moments {
  std::array<date::sys_seconds, 2> at;
  std::size_t count = 0;
};

Moments moments_of(const date::time_zone& zone, date::local_seconds time,
                   Repeated repeated) {
  const date::local_info info = zone.get_info(time);
  switch (info.result) {
    case date::local_info::nonexistent:
      if (repeated == Repeated::both) return {};
      return {{info.second.begin}, 1};
    case date::local_info::ambiguous: {
      const auto elapsed = time.time_since_epoch();
      const date::sys_seconds first{elapsed - info.first.offset};
      const date::sys_seconds second{elapsed - info.second.offset};
      if (repeated == Repeated::first) return {{first}, 1};
      return {{first, second}, 2};
    }
    default: return {{date::sys_seconds{time.time_since_epoch() - info.first.offset}}, 1};
  }
}

}  // namespace

Schedule::Schedule(std::string expression, std::string zone, Fields fields)
    : expression_(std::move(expression)), zone_(std::move(zone)), fields_(fields) {}

Schedule Schedule::parse(std::string_view expression, std::string_view zone) {
  if (expression.size() > kExpressionSizeMax) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("has at most {} characters", kExpressionSizeMax));
  }
  const auto words = words_of(expression);
  if (words.size() != 5) {
    throw Error(
        ErrorCode::invalid_argument,
        fmt::format("has {} fields instead of five (minute, hour, day of the month, "
                    "month, day of the week)",
                    words.size()));
  }
  Fields fields{.minutes = parse_field(kMinute, words[0]),
                .hours = parse_field(kHour, words[1]),
                .days = parse_field(kDay, words[2]),
                .months = parse_field(kMonth, words[3]),
                .weekdays = parse_field(kWeekday, words[4]),
                .any_day = words[2].front() == '*',
                .any_weekday = words[4].front() == '*'};
  if (has(fields.weekdays, 7)) fields.weekdays |= 1;
  find_zone(std::string(zone));
  Schedule schedule(std::string(expression), std::string(zone), fields);
  const Timestamp start = date::sys_days(date::year(2000) / 1 / 1);
  if (!schedule.find_next(start)) {
    throw Error(ErrorCode::invalid_argument, "day of the month: is in none of the months");
  }
  return schedule;
}

Timestamp Schedule::next(Timestamp after) const {
  const auto found = find_next(after);
  if (found) return *found;
  throw Error(ErrorCode::internal, "a schedule has come to its end: " + expression_);
}

std::optional<Timestamp> Schedule::find_next(Timestamp after) const {
  const date::time_zone& zone = *find_zone(zone_);
  const auto repeated = fields_.hours == kEveryHour ? Repeated::both : Repeated::first;
  const auto names_day = [&](date::local_days day) {
    const date::year_month_day on(day);
    if (!has(fields_.months, static_cast<unsigned>(on.month()))) return false;
    const bool by_day = has(fields_.days, static_cast<unsigned>(on.day()));
    const bool by_weekday = has(fields_.weekdays, date::weekday(day).c_encoding());
    const bool both = fields_.any_day || fields_.any_weekday;
    return both ? by_day && by_weekday : by_day || by_weekday;
  };

  const auto from = date::floor<std::chrono::seconds>(after);
  auto day = date::floor<date::days>(zone.to_local(from)) - date::days(1);
  for (int searched = 0; searched < kDaysSearchedMax; ++searched, day += date::days(1)) {
    if (!names_day(day)) continue;
    std::optional<Timestamp> first;
    for (int hour = 0; hour < kHoursOfADay; ++hour) {
      if (!has(fields_.hours, static_cast<unsigned>(hour))) continue;
      for (int minute = 0; minute < kMinutesOfAnHour; ++minute) {
        if (!has(fields_.minutes, static_cast<unsigned>(minute))) continue;
        const auto moments = moments_of(
            zone, day + std::chrono::hours(hour) + std::chrono::minutes(minute), repeated);
        for (std::size_t i = 0; i < moments.count; ++i) {
          const Timestamp moment = moments.at[i];
          if (moment > after && (!first || moment < *first)) first = moment;
        }
      }
    }
    if (first) return first;
  }
  return std::nullopt;
}

}  // namespace mendel::registry
