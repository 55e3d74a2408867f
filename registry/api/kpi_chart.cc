// The drawing has a frame with the value upwards and time to the right. The value is a
// stair: it stays as it is from one point to the next. Where it is small against the
// threshold, the same stair stands once more in a frame of its own, enlarged.

#include "registry/api/kpi_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <optional>
#include <string_view>
#include <vector>

#include "registry/services/ledger/report_text.h"

namespace mendel::registry::api {

namespace {

using std::chrono::days;
using std::chrono::sys_days;

constexpr double kWidth = 720;
constexpr double kHeight = 264;

// A stair lower than this part of the threshold is drawn a second time.
constexpr double kSmallPart = 0.04;

struct Frame {
  double left, top, right, bottom;
  sys_days first, last;
  double value_min, value_max;

  double x(sys_days day) const {
    const double span = static_cast<double>((last - first).count());
    return left + (right - left) * static_cast<double>((day - first).count()) / span;
  }
  double y(double value) const {
    return bottom - (bottom - top) * (value - value_min) / (value_max - value_min);
  }
};

std::string line(std::string_view kind, double x1, double y1, double x2, double y2) {
  return fmt::format(
      "<line class=\"{}\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"/>\n",
      kind, x1, y1, x2, y2);
}

std::string label(std::string_view kind, std::string_view anchor, double x, double y,
                  std::string_view text) {
  return fmt::format(
      "<text class=\"{}\" text-anchor=\"{}\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n", kind,
      anchor, x, y, html_escaped(text));
}

// 1, 2 or 5 times a power of ten, so that about so many of them make up the range.
double round_step(double range, double count) {
  const double rough = range / count;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= rough) return factor * power;
  }
  return 10 * power;
}

// A few dates to write under the axis, and how: with the day, the month, or the year alone.
struct DateMarks {
  std::vector<sys_days> dates;
  enum class Unit { day, month, year } unit = Unit::month;
};

DateMarks day_marks(const Frame& frame, int marks_max) {
  DateMarks marks{{}, DateMarks::Unit::day};
  const auto span = static_cast<int>((frame.last - frame.first).count());
  const int step = std::max(1, (span + marks_max - 1) / marks_max);
  for (sys_days day = frame.first; day <= frame.last; day += days(step)) {
    marks.dates.push_back(day);
  }
  return marks;
}

DateMarks date_marks(const Frame& frame, int marks_max) {
  const std::chrono::year_month_day first(frame.first);
  const double months = static_cast<double>((frame.last - frame.first).count()) / 30.44;
  if (months < 2.5) return day_marks(frame, marks_max);
  constexpr std::array<int, 8> kSteps{1, 2, 3, 6, 12, 24, 60, 120};
  const auto step =
      std::ranges::find_if(kSteps, [&](int step) { return months / step <= marks_max; });
  const int months_apart = step == kSteps.end() ? kSteps.back() : *step;
  DateMarks marks;
  marks.unit = months_apart >= 12 ? DateMarks::Unit::year : DateMarks::Unit::month;
  for (auto month = first.year() / std::chrono::January;;
       month += std::chrono::months(months_apart)) {
    const sys_days day = month / std::chrono::day(1);
    if (day > frame.last) return marks;
    if (day >= frame.first) marks.dates.push_back(day);
  }
}

std::string mark_text(sys_days day, DateMarks::Unit unit) {
  const std::string text = date_text(day);  // "13 February 2024"
  const auto month_at = text.find(' ') + 1;
  const std::string year = text.substr(text.rfind(' ') + 1);
  const std::string month = text.substr(month_at, 3);
  switch (unit) {
    case DateMarks::Unit::day: return text.substr(0, month_at) + month;
    case DateMarks::Unit::month: return month + " " + year;
    case DateMarks::Unit::year: return year;
  }
  return text;
}

std::string axes(const Frame& frame, double value_marks, int date_marks_max) {
  std::string svg;
  const double step = round_step(frame.value_max - frame.value_min, value_marks);
  const double first = std::ceil(frame.value_min / step) * step;
  for (double value = first; value <= frame.value_max * (1 + 1e-9); value += step) {
    const double y = frame.y(value);
    svg += line("grid", frame.left, y, frame.right, y);
    svg += label("mark", "end", frame.left - 7, y + 3.5,
                 quantity_text(std::abs(value) < step / 2 ? 0 : value));
  }
  const DateMarks marks = date_marks(frame, date_marks_max);
  for (const sys_days day : marks.dates) {
    const double x = frame.x(day);
    svg += line("tick", x, frame.bottom, x, frame.bottom + 4);
    svg += label("mark", "middle", x, frame.bottom + 16, mark_text(day, marks.unit));
  }
  return svg + line("axis", frame.left, frame.bottom, frame.right, frame.bottom);
}

// From the first point on, at the height of the one before until the next; to the end.
std::string stair(const Frame& frame, const KpiReport& kpi, sys_days end) {
  const double base = frame.y(std::max(0.0, frame.value_min));
  double y = base;
  std::string path = fmt::format("M{:.1f} {:.1f}", frame.x(frame.first), y);
  for (const ReportPoint& point : kpi.series) {
    y = frame.y(point.value.to_double());
    path += fmt::format("H{:.1f}V{:.1f}", frame.x(point.day), y);
  }
  path += fmt::format("H{:.1f}", frame.x(end));
  return fmt::format(
             "<path class=\"area\" d=\"{0}V{1:.1f}H{2:.1f}Z\"/>\n"
             "<path class=\"value\" d=\"{0}\"/>\n",
             path, base, frame.x(frame.first)) +
         fmt::format("<circle class=\"end\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3.5\"/>\n",
                     frame.x(end), y);
}

std::string threshold_line(const Frame& frame, const KpiDefinition& definition) {
  const double y = frame.y(definition.threshold);
  return line("threshold", frame.left, y, frame.right, y) +
         label("threshold-name", "start", frame.left + 6, y - 6,
               "threshold " + threshold_text(definition));
}

std::string deadline_line(const Frame& frame, const KpiReport& kpi, sys_days begin) {
  const sys_days deadline = *kpi.definition.deadline;
  const double x = frame.x(deadline);
  std::string svg = line("deadline", x, frame.top, x, frame.bottom);
  svg += label("deadline-name", "end", x - 5, frame.bottom - 8,
               "deadline " + date_text(deadline));
  if (begin < deadline) {
    const double top = frame.y(kpi.definition.threshold);
    constexpr double kNamedAt = 0.8;
    svg += line("pace", frame.x(begin), frame.y(0), x, top);
    svg +=
        label("deadline-name", "end", frame.x(begin) + kNamedAt * (x - frame.x(begin)) - 6,
              frame.y(0) + kNamedAt * (top - frame.y(0)) - 3, "even pace");
  }
  return svg;
}

// The stair alone, on its own scale, above the true one.
std::string enlarged(const Frame& whole, const KpiReport& kpi, sys_days end) {
  const double width = whole.right - whole.left;
  Frame frame{.left = whole.left + width * 0.13,
              .top = whole.top + 76,
              .right = whole.left + width * 0.58,
              .bottom = whole.bottom - 44,
              .first = whole.first,
              .last = end,
              .value_min = 0,
              .value_max = kpi.value.to_double() * 1.12};
  std::string svg = fmt::format(
      "<rect class=\"inset\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" "
      "rx=\"4\"/>\n",
      frame.left - 58, frame.top - 24, frame.right - frame.left + 82,
      frame.bottom - frame.top + 48);
  svg += label("inset-name", "start", frame.left - 48, frame.top - 9,
               "enlarged: " + value_text(kpi));
  return svg + axes(frame, 3, 3) + stair(frame, kpi, end);
}

Frame frame_of(const KpiReport& kpi, sys_days begin, sys_days end) {
  const KpiDefinition& definition = kpi.definition;
  const sys_days last = std::max(end, definition.deadline.value_or(end));
  double lowest = 0;
  double highest = definition.threshold;
  for (const ReportPoint& point : kpi.series) {
    lowest = std::min(lowest, point.value.to_double());
    highest = std::max(highest, point.value.to_double());
  }
  return {.left = 58,
          .top = 14,
          .right = kWidth - 18,
          .bottom = kHeight - 30,
          .first = begin,
          .last = std::max(last, begin + days(1)),
          .value_min = lowest * 1.1,
          .value_max = highest * 1.14};
}

}  // namespace

const char* const kChartStyle = R"css(
.chart { width: 100%; height: auto; display: block; font-size: 10.5px; }
.chart text { fill: #52606d; }
.chart .grid { stroke: #e7ebf0; stroke-width: 1; }
.chart .axis, .chart .tick { stroke: #9aa5b1; stroke-width: 1; }
.chart .area { fill: #1f6f8b; opacity: .13; }
.chart .value { fill: none; stroke: #1f6f8b; stroke-width: 2.2; stroke-linejoin: round; }
.chart .end { fill: #1f6f8b; stroke: #fff; stroke-width: 1.5; }
.chart .threshold { stroke: #b7410e; stroke-width: 1.6; stroke-dasharray: 7 4; }
.chart .threshold-name { fill: #b7410e; font-weight: 600; }
.chart .deadline { stroke: #7b8794; stroke-width: 1.2; stroke-dasharray: 2 3; }
.chart .pace { stroke: #7b8794; stroke-width: 1; stroke-dasharray: 1 4; stroke-linecap: round; }
.chart .value-name { fill: #14506a; font-weight: 600; font-size: 11.5px; }
.chart .inset { fill: #fff; stroke: #cbd2d9; }
.chart .inset-name { fill: #14506a; font-weight: 600; }
)css";

std::string chart_of(const KpiReport& kpi, Timestamp until) {
  std::string svg = fmt::format(
      "<svg class=\"chart\" viewBox=\"0 0 {:.0f} {:.0f}\" role=\"img\" "
      "xmlns=\"http://www.w3.org/2000/svg\">\n<title>{}: {} of {}</title>\n",
      kWidth, kHeight, html_escaped(kpi.definition.id), html_escaped(value_text(kpi)),
      html_escaped(threshold_text(kpi.definition)));
  const sys_days end = std::chrono::floor<days>(until);
  sys_days begin = kpi.series.empty() ? end - days(30) : kpi.series.front().day;
  if (kpi.definition.since) begin = *kpi.definition.since;
  begin = std::min(begin, end);

  const Frame frame = frame_of(kpi, begin, end);
  svg += axes(frame, 5, 8);
  svg += threshold_line(frame, kpi.definition);
  if (kpi.definition.deadline) svg += deadline_line(frame, kpi, begin);
  const double part = kpi.completed();
  if (kpi.series.empty()) {
    svg += label("value-name", "middle", (frame.left + frame.right) / 2,
                 (frame.top + frame.bottom) / 2, "no entries yet");
  } else {
    svg += stair(frame, kpi, end);
    if (part > 0 && part < kSmallPart) {
      svg += enlarged(frame, kpi, std::max(end, begin + days(1)));
    } else {
      const bool has_room = frame.x(end) < frame.right - 130;
      svg += label("value-name", has_room ? "start" : "end",
                   frame.x(end) + (has_room ? 9 : -2),
                   frame.y(kpi.value.to_double()) + (has_room ? 4 : -9), value_text(kpi));
    }
  }
  return svg + "</svg>\n";
}

std::string html_escaped(std::string_view text) {
  std::string escaped;
  escaped.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&': escaped += "&amp;"; break;
      case '<': escaped += "&lt;"; break;
      case '>': escaped += "&gt;"; break;
      case '"': escaped += "&quot;"; break;
      case '\'': escaped += "&#39;"; break;
      default: escaped += c;
    }
  }
  return escaped;
}

}  // namespace mendel::registry::api
