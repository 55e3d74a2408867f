#include "registry/api/kpi_report_json.h"

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>

#include "registry/services/ledger/report_text.h"
#include "storage/base/clock.h"

namespace mendel::registry::api {

namespace {

using nlohmann::json;

std::string date(std::chrono::sys_days day) {
  const std::chrono::year_month_day date(day);
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()));
}

json one_decimal(double number) { return number_json(std::round(number * 10) / 10); }

json displayed(const KpiReport& kpi, const Amount& value) {
  return number_json(value.to_double() / kpi.definition.display_scale);
}

json resources_of(const KpiReport& kpi) {
  json resources = json::object();
  const auto add = [&resources](const char* name, const Amount& amount) {
    if (!amount.is_zero()) resources[name] = number_json(amount);
  };
  add("cpu_seconds", kpi.cpu_seconds);
  add("gpu_seconds", kpi.gpu_seconds);
  add("energy_kwh", kpi.energy_kwh);
  return resources;
}

json parts_of(const KpiReport& kpi) {
  const double whole = kpi.value.to_double();
  json parts = json::array();
  for (const ReportPart& part : kpi.parts) {
    json object{{"key", part.key},
                {"value", number_json(part.value)},
                {"display_value", displayed(kpi, part.value)},
                {"entries", part.entries}};
    if (whole != 0) {
      object["share_percent"] = one_decimal(part.value.to_double() / whole * 100);
    }
    parts.push_back(std::move(object));
  }
  return parts;
}

json series_of(const KpiReport& kpi) {
  json points = json::array();
  for (const ReportPoint& point : kpi.series) {
    points.push_back({{"date", date(point.day)}, {"value", number_json(point.value)}});
  }
  return points;
}

json pace_json(const Pace& pace) {
  json object{{"expected", number_json(pace.expected)}, {"behind", pace.is_behind}};
  if (pace.needed_per_day) {
    object["needed_per_day"] = number_json(*pace.needed_per_day);
    object["needed_per_month"] = number_json(*pace.needed_per_month);
  }
  return object;
}

json definition_json(const KpiDefinition& definition) {
  const bool is_at_least = definition.direction == KpiDefinition::Direction::at_least;
  json object{{"id", definition.id},
              {"revision", definition.revision},
              {"defined_at", format_rfc3339(definition.defined_at)},
              {"title", definition.title},
              {"description", definition.description},
              {"unit", definition.unit},
              {"display",
               {{"unit", definition.display_unit},
                {"scale", number_json(definition.display_scale)}}},
              {"threshold", number_json(definition.threshold)},
              {"direction", is_at_least ? "at-least" : "at-most"},
              {"threshold_text", threshold_text(definition)}};
  if (!definition.symbol.empty()) object["symbol"] = definition.symbol;
  if (definition.since) object["since"] = date(*definition.since);
  if (definition.deadline) object["deadline"] = date(*definition.deadline);
  return object;
}

json kpi_json(const KpiReport& kpi, bool has_parts) {
  json object = definition_json(kpi.definition);
  object["value"] = number_json(kpi.value);
  object["display_value"] = displayed(kpi, kpi.value);
  object["value_text"] = value_text(kpi);
  object["completed_percent"] = one_decimal(kpi.completed() * 100);
  object["completed_text"] = completed_text(kpi);
  object["reached"] = kpi.is_reached();
  object["entries"] = kpi.entries;
  object["resources"] = resources_of(kpi);
  object["evidence"] = kpi.evidence;
  object["series"] = series_of(kpi);
  if (kpi.change) {
    object["change"] = number_json(*kpi.change);
    object["change_text"] = change_text(kpi);
  }
  if (kpi.pace) {
    object["pace"] = pace_json(*kpi.pace);
    object["pace_text"] = pace_text(kpi);
  }
  if (has_parts) object["by"] = parts_of(kpi);
  if (kpi.parts_left_out > 0) object["by_left_out"] = kpi.parts_left_out;
  return object;
}

}  // namespace

json number_json(double number) {
  constexpr double kExactBelow = 9007199254740992;  // 2^53
  if (number == std::floor(number) && std::abs(number) < kExactBelow) {
    return static_cast<std::int64_t>(number);
  }
  return number;
}

json number_json(const Amount& amount) { return number_json(amount.to_double()); }

json to_json(const Report& report) {
  json document{{"at", format_rfc3339(report.at)},
                {"until", format_rfc3339(report.until)},
                {"chain",
                 {{"sequence", report.chain.sequence},
                  {"entries", report.chain.entry_count},
                  {"hash", report.chain.hash.to_string()}}},
                {"kpis", json::array()}};
  if (!report.by.empty()) document["by"] = report.by;
  if (report.previous) {
    document["previous"] = {{"at", format_rfc3339(report.previous->at)},
                            {"until", format_rfc3339(report.previous->until)}};
    if (report.previous->digest) {
      document["previous"]["digest"] = report.previous->digest->to_string();
    }
  }
  for (const KpiReport& kpi : report.kpis) {
    document["kpis"].push_back(kpi_json(kpi, !report.by.empty()));
  }
  return document;
}

}  // namespace mendel::registry::api
