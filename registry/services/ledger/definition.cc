#include "registry/services/ledger/definition.h"

#include <algorithm>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <set>

#include "storage/canonical_json.h"

namespace mendel::registry {

namespace {

using nlohmann::json;
using std::chrono::sys_days;

const std::set<std::string> kKeysByDefault{"campaign", "experiment", "site"};
constexpr std::size_t kKeySizeMax = 64;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool is_key_character(char c) {
  return is_letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
}

// A bare date is read as the end of its day.
std::optional<sys_days> day(const json& document, const char* member) {
  const auto found = document.find(member);
  if (found == document.end()) return std::nullopt;
  return std::chrono::floor<std::chrono::days>(parse_rfc3339(found->get<std::string>()));
}

void parse_count(const json& document, KpiDefinition& definition) {
  const auto found = document.find("count");
  if (found == document.end()) return;
  if (found->is_object()) {
    definition.count = KpiDefinition::Count::distinct;
    definition.distinct_key = found->at("distinct").get<std::string>();
  } else if (*found == "entries") {
    definition.count = KpiDefinition::Count::entries;
  }
}

void parse_display(const json& document, KpiDefinition& definition) {
  definition.display_unit = definition.unit;
  const auto found = document.find("display");
  if (found == document.end()) return;
  definition.display_unit = found->value("unit", definition.unit);
  definition.display_scale = found->value("scale", 1.0);
}

// Sorted, so that the order in which a document has them makes no other counting.
void parse_counting(const json& document, KpiDefinition& definition) {
  auto keys = document.value("keys", kKeysByDefault);
  if (!definition.distinct_key.empty()) keys.insert(definition.distinct_key);
  definition.counting.keys.assign(keys.begin(), keys.end());
  const json filter = document.value("filter", json::object());
  for (const auto& [key, value] : filter.items()) {
    auto values = value.is_array() ? value.get<std::set<std::string>>()
                                   : std::set{value.get<std::string>()};
    definition.counting.filter[key].assign(values.begin(), values.end());
  }
}

}  // namespace

std::string Counting::rule() const {
  auto sorted = namespaces;
  std::ranges::sort(sorted);
  return storage::canonical_json(
      {{"namespaces", sorted}, {"filter", filter}, {"keys", keys}});
}

Counting Counting::parse(std::int64_t id, std::int64_t kpi_id, const std::string& rule) {
  const json parsed = json::parse(rule);
  Counting counting;
  counting.id = id;
  counting.kpi_id = kpi_id;
  parsed.at("namespaces").get_to(counting.namespaces);
  parsed.at("filter").get_to(counting.filter);
  parsed.at("keys").get_to(counting.keys);
  return counting;
}

KpiDefinition KpiDefinition::parse(const std::string& text) {
  const json document = json::parse(text);
  KpiDefinition definition;
  definition.title = document.at("title").get<std::string>();
  definition.description = document.value("description", "");
  definition.symbol = document.value("symbol", "");
  definition.unit = document.value("unit", "");
  definition.threshold = document.at("threshold").get<double>();
  definition.direction = document.value("direction", "at-least") == "at-most"
                             ? Direction::at_most
                             : Direction::at_least;
  definition.allows_negative = document.value("allow_negative", false);
  definition.since = day(document, "since");
  definition.deadline = day(document, "deadline");
  definition.namespaces = document.value("namespaces", std::vector<std::string>());
  definition.document = text;
  parse_display(document, definition);
  parse_count(document, definition);
  parse_counting(document, definition);
  return definition;
}

bool is_subject_key(std::string_view text) {
  return !text.empty() && text.size() <= kKeySizeMax && is_letter(text.front()) &&
         std::ranges::all_of(text, is_key_character) && text != "model" && text != "month";
}

}  // namespace mendel::registry
