#include "registry/api/kpi_report_claim.h"

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>

#include "registry/api/json.h"
#include "storage/base/clock.h"
#include "storage/base/digest.h"
#include "storage/base/error.h"

namespace mendel::registry::api {

namespace {

using nlohmann::json;

const json& member(const json& object, const char* name) {
  if (object.is_object()) {
    const auto found = object.find(name);
    if (found != object.end()) return *found;
  }
  throw Error(ErrorCode::invalid_argument,
              std::string("this is no report: it has no ") + name);
}

[[noreturn]] void refuse(const char* name, const char* rule) {
  throw Error(ErrorCode::invalid_argument,
              std::string("this is no report: ") + name + " is no " + rule);
}

std::string text(const json& object, const char* name) {
  const json& value = member(object, name);
  if (!value.is_string()) refuse(name, "text");
  return value.get<std::string>();
}

double number(const json& object, const char* name) {
  const json& value = member(object, name);
  if (!value.is_number()) refuse(name, "number");
  return value.get<double>();
}

std::int64_t integer(const json& object, const char* name) {
  const json& value = member(object, name);
  if (!value.is_number_integer()) refuse(name, "whole number");
  if (value.is_number_unsigned() &&
      value.get<std::uint64_t>() > std::numeric_limits<std::int64_t>::max()) {
    refuse(name, "whole number that fits");
  }
  return value.get<std::int64_t>();
}

const json& list(const json& object, const char* name) {
  const json& value = member(object, name);
  if (!value.is_array()) refuse(name, "list");
  return value;
}

ReportClaim::Kpi kpi_of(const json& object, bool has_parts) {
  ReportClaim::Kpi kpi;
  kpi.id = text(object, "id");
  const std::int64_t revision = integer(object, "revision");
  if (revision < 1 || revision > std::numeric_limits<std::int32_t>::max()) {
    refuse("revision", "number of a revision");
  }
  kpi.revision = static_cast<std::int32_t>(revision);
  kpi.value = number(object, "value");
  kpi.entries = integer(object, "entries");
  kpi.is_cut = object.contains("by_left_out");
  if (!has_parts) return kpi;
  for (const json& part : list(object, "by")) {
    kpi.parts.push_back({.key = text(part, "key"),
                         .value = number(part, "value"),
                         .entries = integer(part, "entries")});
  }
  return kpi;
}

}  // namespace

ReportClaim parse_report_claim(std::string_view document) {
  const json report = parse_json(document);
  const json& chain = member(report, "chain");
  ReportClaim claim;
  claim.at = parse_rfc3339(text(report, "at"));
  claim.until = parse_rfc3339(text(report, "until"));
  if (report.contains("by")) claim.by = text(report, "by");
  claim.sequence = integer(chain, "sequence");
  claim.chain_entries = integer(chain, "entries");
  claim.chain_hash = Digest::parse(text(chain, "hash"));
  if (claim.sequence < 0) refuse("sequence", "number of a batch");
  for (const json& kpi : list(report, "kpis")) {
    claim.kpis.push_back(kpi_of(kpi, !claim.by.empty()));
  }
  return claim;
}

}  // namespace mendel::registry::api
