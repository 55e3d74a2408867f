#include "registry/api/kpi_impact.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "registry/api/commit_prefix.h"
#include "registry/api/json.h"
#include "registry/api/kpi_report_json.h"
#include "registry/services/inputs.h"
#include "registry/services/ledger/impact.h"
#include "registry/services/ledger/report_service.h"
#include "registry/services/ledger/report_text.h"
#include "storage/base/clock.h"
#include "storage/base/error.h"
#include "storage/base/reference.h"

namespace mendel::registry::api {

namespace {

using nlohmann::json;

constexpr std::size_t kVersionsShownMax = 1000;

json parts_json(const KpiImpact& kpi, const std::vector<ReportPart>& parts) {
  json list = json::array();
  const std::size_t shown = std::min(parts.size(), KpiReport::kPartsMax);
  for (std::size_t at = 0; at < shown; ++at) {
    const ReportPart& part = parts[at];
    const double displayed = part.value.to_double() / kpi.definition.display_scale;
    list.push_back({{"key", part.key},
                    {"value", number_json(part.value)},
                    {"display_value", number_json(displayed)},
                    {"entries", part.entries}});
  }
  return list;
}

json kpi_json(const KpiImpact& kpi) {
  const KpiDefinition& definition = kpi.definition;
  const double value = kpi.value.to_double();
  json object{{"id", definition.id},
              {"revision", definition.revision},
              {"title", definition.title},
              {"unit", definition.unit},
              {"value", number_json(kpi.value)},
              {"display_value", number_json(value / definition.display_scale)},
              {"value_text", quantity_text(value, definition.unit)},
              {"entries", kpi.entries},
              {"by", parts_json(kpi, kpi.parts)},
              {"by_version", parts_json(kpi, kpi.versions)}};
  if (!kpi.total.is_zero()) {
    const double percent = value / kpi.total.to_double() * 100;
    object["share_percent"] = number_json(std::round(percent * 10) / 10);
  }
  return object;
}

json to_json(const Impact& impact) {
  const std::size_t shown = std::min(impact.versions.size(), kVersionsShownMax);
  json document{{"at", format_rfc3339(impact.at)},
                {"versions", json::array()},
                {"hidden", impact.hidden},
                {"kpis", json::array()}};
  for (std::size_t at = 0; at < shown; ++at) {
    document["versions"].push_back(impact.versions[at]);
  }
  if (shown < impact.versions.size()) {
    document["versions_left_out"] = impact.versions.size() - shown;
  }
  for (const KpiImpact& kpi : impact.kpis) document["kpis"].push_back(kpi_json(kpi));
  return document;
}

}  // namespace

Response get_kpi_impact(const Request& request, Services& services) {
  const auto ref = request.query("ref");
  const auto commit = request.query("commit");
  const std::string by(request.query("by").value_or("campaign"));
  if (ref.has_value() == commit.has_value()) {
    throw Error(ErrorCode::invalid_argument, "name a ref, or a commit");
  }
  require_report_key(by);
  if (by.empty() || by == "model" || by == "month") {
    throw Error(ErrorCode::invalid_argument, "by is a subject key");
  }

  if (commit) {
    json document =
        to_json(services.impact.of_commit(request.caller(), commit_prefix(*commit), by));
    document["commit"] = *commit;
    document["by"] = by;
    return json_response(200, document);
  }
  const std::array asked{
      InputService::Asked{.ref = Reference::parse(*ref), .pointer = "ref"}};
  const auto version = services.inputs.freeze(request.caller(), asked).front();
  json document = to_json(services.impact.of_version(request.caller(), version.id, by));
  document["ref"] = version.reference();
  document["by"] = by;
  return json_response(200, document);
}

}  // namespace mendel::registry::api
