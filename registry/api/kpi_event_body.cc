#include "registry/api/kpi_event_body.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "registry/api/json.h"
#include "registry/services/ledger/definition.h"
#include "storage/base/clock.h"
#include "storage/base/reference.h"

namespace mendel::registry::api {

namespace {

using nlohmann::json;

constexpr std::size_t kEventIdSizeMax = 512;
constexpr std::size_t kSubjectKeysMax = 32;
constexpr std::size_t kSubjectValueSizeMax = 256;
constexpr std::size_t kLinksMax = 16;
constexpr std::size_t kLinkSizeMax = 2048;
constexpr std::size_t kReasonSizeMax = 1000;
constexpr std::size_t kDateSize = 10;  // 2024-02-13

bool has_control_character(std::string_view text) {
  return std::ranges::any_of(text, [](unsigned char c) { return c < ' ' || c == 0x7f; });
}

void check_text(ObjectReader& row, std::string_view member, const std::string& text,
                std::size_t size_max) {
  if (text.empty() || text.size() > size_max) {
    row.problem(member, fmt::format("must have 1 to {} bytes", size_max));
  } else if (has_control_character(text)) {
    row.problem(member, "contains a control character");
  }
}

std::string read_text(ObjectReader& row, std::string_view member, std::size_t size_max) {
  if (!row.has(member)) row.problem(member, "is required");
  const auto text = row.optional_string(member);
  if (text) check_text(row, member, *text, size_max);
  return text.value_or("");
}

// A whole number that no double holds would be rounded, and so be another number.
bool is_exact(const json& number) {
  const double value = number.get<double>();
  if (number.is_number_unsigned()) {
    return value < 0x1p64 &&
           static_cast<std::uint64_t>(value) == number.get<std::uint64_t>();
  }
  if (number.is_number_integer()) {
    return static_cast<std::int64_t>(value) == number.get<std::int64_t>();
  }
  return true;
}

std::optional<Amount> read_amount(ObjectReader& row, std::string_view member) {
  const auto value = row.optional_value(member);
  if (!value) return std::nullopt;
  if (!value->is_number() || !std::isfinite(value->get<double>())) {
    row.problem(member, "must be a finite number");
    return std::nullopt;
  }
  if (!is_exact(*value)) {
    row.problem(member, "has more digits than are kept");
    return std::nullopt;
  }
  try {
    return Amount::of(value->get<double>());
  } catch (const Error& error) {
    row.problem(member, error.what());
    return std::nullopt;
  }
}

std::optional<Timestamp> read_time(ObjectReader& row) {
  if (!row.has("occurred_at")) row.problem("occurred_at", "is required");
  return row.parsed("occurred_at", [](const std::string& text) {
    if (text.size() <= kDateSize) {
      throw Error(ErrorCode::invalid_argument,
                  "must be a time, with its offset: 2024-02-13T12:00:00Z");
    }
    return parse_rfc3339(text);
  });
}

// What was made with a model is counted for good, so it is named by what does not move.
std::optional<Reference> read_model(ObjectReader& row) {
  return row.parsed("model", [](const std::string& text) {
    auto ref = Reference::parse(text);
    if (!ref.version.is_immutable()) {
      throw Error(ErrorCode::invalid_argument,
                  "must have the number of a version, or its digest: an alias moves; send "
                  "the Mendel-Reference that came with the model");
    }
    return ref;
  });
}

std::map<std::string, std::string> read_subject(ObjectReader& row) {
  std::map<std::string, std::string> subject;
  const auto object = row.optional_object("subject");
  if (!object) return subject;
  if (object->size() > kSubjectKeysMax) {
    row.problem("subject", fmt::format("has more than {} keys", kSubjectKeysMax));
    return subject;
  }
  ObjectReader members(*object, "/subject");
  for (const auto& [key, value] : object->items()) {
    const auto text = members.optional_string(key);
    if (!is_subject_key(key)) {
      members.problem(key,
                      "is no subject key: a letter and then up to 63 letters, digits, '_', "
                      "'.', '-', and neither 'model' nor 'month'");
    } else if (text) {
      check_text(members, key, *text, kSubjectValueSizeMax);
      subject.emplace(key, *text);
    }
  }
  row.adopt(members);
  return subject;
}

bool is_scheme_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         c == '+' || c == '-' || c == '.';
}

// Absolute, with a host: what somebody else can follow. Empty: nothing is wrong.
std::string_view fault_of_link(std::string_view link) {
  constexpr std::string_view kNoUrl =
      "is no absolute URL: https://… or root://…, for example";
  if (link.size() > kLinkSizeMax) return "has more than 2048 bytes";
  if (has_control_character(link) || link.find(' ') != std::string_view::npos) {
    return "contains white space or a control character";
  }
  const auto colon = link.find("://");
  if (colon == std::string_view::npos || colon == 0) return kNoUrl;
  const std::string_view scheme = link.substr(0, colon);
  const char first = scheme.front();
  const bool has_letter_first =
      (first >= 'a' && first <= 'z') || (first >= 'A' && first <= 'Z');
  if (!has_letter_first || !std::ranges::all_of(scheme, is_scheme_character)) return kNoUrl;
  const std::string_view rest = link.substr(colon + 3);
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?#\\"));
  if (authority.find('@') != std::string_view::npos) {
    return "contains credentials, or what looks like them, before the host";
  }
  if (authority.empty() || authority.front() == ':') return kNoUrl;
  return "";
}

std::vector<std::string> read_evidence(ObjectReader& row) {
  auto links = row.optional_strings("evidence");
  if (links.size() > kLinksMax) {
    row.problem("evidence", fmt::format("has more than {} links", kLinksMax));
  }
  for (std::size_t i = 0; i < links.size(); ++i) {
    const auto fault = fault_of_link(links[i]);
    if (!fault.empty()) row.problem("evidence", fmt::format("link {} {}", i, fault));
  }
  return links;
}

struct Resources {
  std::optional<Amount> cpu_seconds, gpu_seconds, energy_kwh;
};

Resources read_resources(ObjectReader& row) {
  const auto object = row.optional_object("resources");
  if (!object) return {};
  ObjectReader members(*object, "/resources");
  const auto read = [&](const char* member) {
    auto amount = read_amount(members, member);
    if (amount && amount->is_negative()) members.problem(member, "is negative");
    return amount;
  };
  Resources resources{read("cpu_seconds"), read("gpu_seconds"), read("energy_kwh")};
  row.adopt(members);
  return resources;
}

std::optional<Name> read_name(ObjectReader& row, const char* member, const char* what) {
  return row.parsed(member,
                    [&](const std::string& text) { return Name::parse(what, text); });
}

SentEntry read_correction(ObjectReader& row) {
  auto kpi = read_name(row, "kpi", "a KPI");
  auto ns = read_name(row, "namespace", "a namespace");
  auto event_id = read_text(row, "event_id", kEventIdSizeMax);
  auto value = read_amount(row, "value");
  if (!row.has("value")) row.problem("value", "is required");
  auto model = read_model(row);
  auto evidence = read_evidence(row);
  auto corrects = read_text(row, "corrects", kEventIdSizeMax);
  auto reason = read_text(row, "reason", kReasonSizeMax);
  row.finish();
  return {.kpi = std::move(kpi).value(),
          .ns = std::move(ns),
          .event_id = std::move(event_id),
          .value = std::move(value),
          .occurred_at = std::nullopt,
          .model = std::move(model),
          .subject = {},
          .evidence = std::move(evidence),
          .cpu_seconds = std::nullopt,
          .gpu_seconds = std::nullopt,
          .energy_kwh = std::nullopt,
          .corrects = std::move(corrects),
          .reason = std::move(reason)};
}

SentEntry read_event(ObjectReader& row) {
  auto kpi = read_name(row, "kpi", "a KPI");
  auto ns = read_name(row, "namespace", "a namespace");
  auto event_id = read_text(row, "event_id", kEventIdSizeMax);
  auto value = read_amount(row, "value");
  const auto occurred_at = read_time(row);
  auto model = read_model(row);
  auto subject = read_subject(row);
  auto evidence = read_evidence(row);
  auto resources = read_resources(row);
  row.finish();
  return {.kpi = std::move(kpi).value(),
          .ns = std::move(ns),
          .event_id = std::move(event_id),
          .value = std::move(value),
          .occurred_at = occurred_at,
          .model = std::move(model),
          .subject = std::move(subject),
          .evidence = std::move(evidence),
          .cpu_seconds = std::move(resources.cpu_seconds),
          .gpu_seconds = std::move(resources.gpu_seconds),
          .energy_kwh = std::move(resources.energy_kwh),
          .corrects = "",
          .reason = ""};
}

SentEntry read_entry(ObjectReader& row) {
  if (!row.has("kpi")) row.problem("kpi", "is required");
  return row.has("corrects") ? read_correction(row) : read_event(row);
}

std::string event_id_of(const json& row) {
  if (!row.is_object()) return "";
  const auto id = row.find("event_id");
  if (id == row.end() || !id->is_string()) return "";
  const auto& text = id->get_ref<const std::string&>();
  return text.size() > kEventIdSizeMax ? "" : text;
}

KpiEventRow read_line(std::string_view line) {
  try {
    return read_kpi_event(parse_json(line));
  } catch (const Error& error) {
    return {"", error};
  }
}

bool is_blank(std::string_view line) {
  return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

}  // namespace

KpiEventRow read_kpi_event(json content) {
  std::string event_id = event_id_of(content);
  try {
    ObjectReader row(std::move(content));
    SentEntry entry = read_entry(row);
    return {std::move(event_id), std::move(entry)};
  } catch (const Error& error) {
    return {std::move(event_id), error};
  }
}

std::vector<KpiEventRow> read_kpi_event_document(std::string_view text) {
  json document = parse_json(text);
  if (document.is_object() && document.contains("events")) {
    ObjectReader body(std::move(document));
    auto events = body.required_array("events");
    body.finish();
    document = std::move(events);
  }
  if (document.is_object()) document = json::array({std::move(document)});
  if (!document.is_array()) {
    throw Error(ErrorCode::invalid_argument,
                "the body must be an event, a list of them, or {\"events\": […]}");
  }
  std::vector<KpiEventRow> rows;
  rows.reserve(document.size());
  for (json& row : document) rows.push_back(read_kpi_event(std::move(row)));
  return rows;
}

void KpiEventLines::append(std::span<const std::byte> data) {
  std::string_view text(reinterpret_cast<const char*>(data.data()), data.size());
  for (auto end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    add_to_line(text.substr(0, end));
    end_line();
    text.remove_prefix(end + 1);
  }
  add_to_line(text);
}

// Of a line that is too long nothing is kept.
void KpiEventLines::add_to_line(std::string_view text) {
  is_too_long_ = is_too_long_ || line_.size() + text.size() > kLineSizeMax;
  if (is_too_long_) {
    line_.clear();
  } else {
    line_ += text;
  }
}

void KpiEventLines::end_line() {
  if (is_too_long_) {
    take_({"", Error(ErrorCode::too_large,
                     fmt::format("a row has at most {} bytes", kLineSizeMax))},
          0);
  } else if (!is_blank(line_)) {
    take_(read_line(line_), line_.size());
  }
  line_.clear();
  is_too_long_ = false;
}

void KpiEventLines::finish() { end_line(); }

}  // namespace mendel::registry::api
