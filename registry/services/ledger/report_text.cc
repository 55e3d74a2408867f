#include "registry/services/ledger/report_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <utility>

namespace mendel::registry {

namespace {

using std::chrono::sys_days;

constexpr std::array<std::string_view, 12> kMonths{
    "January", "February", "March",     "April",   "May",      "June",
    "July",    "August",   "September", "October", "November", "December"};

// A binary fraction may be a little below the decimal one that it stands for.
constexpr double kBinaryError = 1e-12;

// Cut off behind so many digits, without zeros at the end.
std::string cut(double value, int digits) {
  const double size = std::abs(value);
  const int before_point = size < 1 ? 1 : static_cast<int>(std::log10(size) + 1e-9) + 1;
  int decimals = std::max(digits - before_point, 0);
  // Below 1 the digits begin at the first one that is not 0.
  if (size > 0 && size < 1)
    decimals = digits - 1 - static_cast<int>(std::floor(std::log10(size)));
  const double unit = std::pow(10.0, decimals);
  const double cut_off = std::floor(size * unit * (1 + kBinaryError)) / unit;
  std::string text = fmt::format("{:.{}f}", cut_off, decimals);
  if (text.find('.') != std::string::npos) {
    text.erase(text.find_last_not_of('0') + 1);
    if (text.ends_with('.')) text.pop_back();
  }
  return value < 0 && text != "0" ? "-" + text : text;
}

std::string month_and_year(sys_days day) {
  const std::chrono::year_month_day date(day);
  return fmt::format("{} {}", kMonths.at(static_cast<unsigned>(date.month()) - 1),
                     static_cast<int>(date.year()));
}

// "billion" of "billion events": what a display unit adds to the unit.
std::string_view scale_word(const KpiDefinition& definition) {
  std::string_view word = definition.display_unit;
  if (!word.ends_with(definition.unit)) return word;
  word.remove_suffix(definition.unit.size());
  while (word.ends_with(' ')) word.remove_suffix(1);
  return word;
}

}  // namespace

std::string number_text(double value) {
  return std::abs(value) < 1e15 && value == std::floor(value) ? fmt::format("{:.0f}", value)
                                                              : fmt::format("{}", value);
}

std::string quantity_text(double value) {
  constexpr double kPlainBelow = 10'000;
  constexpr int kDigits = 3;
  if (std::abs(value) < kPlainBelow) {
    return value == std::floor(value) ? number_text(value) : cut(value, kDigits);
  }
  constexpr std::array<std::string_view, 6> kPrefixes{"k", "M", "G", "T", "P", "E"};
  double scaled = value / 1000;
  std::size_t prefix = 0;
  while (std::abs(scaled) >= 1000 && prefix + 1 < kPrefixes.size()) {
    scaled /= 1000;
    ++prefix;
  }
  return fmt::format("{} {}", cut(scaled, kDigits), kPrefixes.at(prefix));
}

std::string quantity_text(double value, std::string_view unit) {
  std::string text = quantity_text(value);
  if (!unit.empty()) text += fmt::format(" {}", unit);
  return text;
}

std::string date_text(sys_days day) {
  const std::chrono::year_month_day date(day);
  return fmt::format("{} {}", static_cast<unsigned>(date.day()), month_and_year(day));
}

std::string time_text(Timestamp time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  if (time == day + std::chrono::days(1) - std::chrono::microseconds(1)) {
    return date_text(day);
  }
  const auto minutes = std::chrono::floor<std::chrono::minutes>(time - day).count();
  return fmt::format("{}, {:02}:{:02} UTC", date_text(day), minutes / 60, minutes % 60);
}

std::string threshold_text(const KpiDefinition& definition) {
  const bool is_at_least = definition.direction == KpiDefinition::Direction::at_least;
  std::string text =
      fmt::format("{} {}", is_at_least ? "≥" : "≤",
                  number_text(definition.threshold / definition.display_scale));
  if (!definition.symbol.empty()) text = definition.symbol + " " + text;
  const std::string_view word = scale_word(definition);
  if (!word.empty()) text += fmt::format(" ({})", word);
  return text;
}

std::string value_text(const KpiReport& kpi) {
  const KpiDefinition& definition = kpi.definition;
  std::string text = quantity_text(kpi.value.to_double(), definition.unit);
  if (!definition.unit.empty() || !definition.since) return text;
  const std::chrono::year_month_day since(*definition.since);
  text += fmt::format(" (since {})", since.day() == std::chrono::day(1)
                                         ? month_and_year(*definition.since)
                                         : date_text(*definition.since));
  return text;
}

std::string completed_text(const KpiReport& kpi) {
  const double percent = kpi.completed() * 100;
  constexpr double kTwoDigitsBelow = 9.95;
  constexpr double kSmallest = 0.0001;
  if (std::abs(percent) < kSmallest) return percent > 0 ? "< 0.0001 %" : "0 %";
  if (std::abs(percent) < kTwoDigitsBelow) return fmt::format("{:.2g} %", percent);
  const double rounded = std::round(percent);
  if (rounded == 100 && !kpi.is_reached()) return percent < 100 ? "99 %" : "101 %";
  return fmt::format("{:.0f} %", rounded);
}

std::string change_text(const KpiReport& kpi) {
  if (!kpi.change) return "";
  const double change = kpi.change->to_double();
  return (change > 0 ? "+" : "") + quantity_text(change, kpi.definition.unit);
}

std::string pace_text(const KpiReport& kpi) {
  if (!kpi.pace) return "";
  const bool is_at_least = kpi.definition.direction == KpiDefinition::Direction::at_least;
  if (is_at_least && kpi.is_reached()) return "reached";
  if (!kpi.pace->needed_per_month) return kpi.is_reached() ? "kept" : "missed";
  const std::string amount =
      quantity_text(*kpi.pace->needed_per_month, kpi.definition.unit) + " per month";
  if (is_at_least) return amount + (kpi.pace->is_behind ? " (behind)" : " (on pace)");
  return "at most " + amount + (kpi.pace->is_behind ? " (over)" : " (on pace)");
}

std::string part_text(const ReportPart& part) {
  return part.key.empty() ? "(none)" : part.key;
}

std::string value_heading(const KpiReport& kpi) {
  const std::string& unit = kpi.definition.unit;
  return unit.empty() ? "value" : fmt::format("value ({})", unit);
}

ReportTable table_of(const Report& report) {
  bool has_change = false;
  bool has_pace = false;
  for (const KpiReport& kpi : report.kpis) {
    has_change |= kpi.change.has_value();
    has_pace |= kpi.pace.has_value();
  }
  ReportTable table{{"KPI ID", "description", "threshold", "value", "completed"}, {}};
  if (has_change) {
    const auto day = std::chrono::floor<std::chrono::days>(report.previous->at);
    table.headings.push_back("since report of " + date_text(day));
  }
  if (has_pace) table.headings.emplace_back("needed pace");
  table.headings.emplace_back("entries");
  for (const KpiReport& kpi : report.kpis) {
    const KpiDefinition& definition = kpi.definition;
    std::vector<std::string> cells{
        definition.id,
        definition.description.empty() ? definition.title : definition.description,
        threshold_text(definition), value_text(kpi), completed_text(kpi)};
    if (has_change) cells.push_back(change_text(kpi));
    if (has_pace) cells.push_back(pace_text(kpi));
    cells.push_back(std::to_string(kpi.entries));
    table.rows.push_back(std::move(cells));
  }
  return table;
}

}  // namespace mendel::registry
