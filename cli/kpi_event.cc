#include "cli/kpi_event.h"

#include "cli/key_value.h"
#include "storage/base/clock.h"
#include "storage/base/digest.h"
#include "storage/base/reference.h"
#include "storage/canonical_json.h"

namespace mendel::cli {

namespace {

// Enough that two corrections of one event never meet.
constexpr std::size_t kDerivedIdDigits = 24;

Json number_of(const std::string& what, const std::string& text) {
  Json number = Json::parse(text, nullptr, false);
  if (!number.is_number()) {
    throw Error(ErrorCode::invalid_argument, what + ": '" + text + "' is no number");
  }
  return number;
}

std::string model_of(const std::string& text) {
  const Reference reference = Reference::parse(text);
  if (!reference.version.is_immutable()) {
    throw Error(ErrorCode::invalid_argument,
                "--model " + text +
                    ": it moves; give the number of the version that was used, as "
                    "Mendel-Reference says it");
  }
  return text;
}

}  // namespace

Json kpi_event(const KpiEventOptions& options) {
  Json event = {{"kpi", Name::parse("a KPI's id", options.kpi).text()},
                {"event_id", options.event_id},
                {"occurred_at", options.occurred_at}};
  if (options.occurred_at.find('T') == std::string::npos) {
    throw Error(ErrorCode::invalid_argument,
                "--occurred-at takes a time such as 2024-02-01T12:00:00Z");
  }
  parse_rfc3339(options.occurred_at);
  if (!options.value.empty()) event["value"] = number_of("--value", options.value);
  if (!options.model.empty()) event["model"] = model_of(options.model);
  if (!options.ns.empty()) {
    event["namespace"] = Name::parse("a namespace", options.ns).text();
  }
  for (const std::string& text : options.subject) {
    const KeyValue pair = parse_key_value("--subject", text);
    event["subject"][pair.key] = pair.value;
  }
  if (!options.evidence.empty()) event["evidence"] = options.evidence;
  for (const std::string& text : options.resources) {
    const KeyValue pair = parse_key_value("--resource", text);
    event["resources"][pair.key] = number_of("--resource " + pair.key, pair.value);
  }
  return event;
}

Json kpi_correction(const KpiCorrectionOptions& options) {
  Json correction = {{"kpi", Name::parse("a KPI's id", options.kpi).text()},
                     {"namespace", Name::parse("a namespace", options.ns).text()},
                     {"corrects", options.corrects},
                     {"value", number_of("--value", options.value)},
                     {"reason", options.reason}};
  if (!options.evidence.empty()) correction["evidence"] = options.evidence;
  correction["event_id"] =
      !options.own_id.empty()
          ? options.own_id
          : "correction-" + Digest::of(storage::canonical_json(correction))
                                .hex()
                                .substr(0, kDerivedIdDigits);
  return correction;
}

}  // namespace mendel::cli
