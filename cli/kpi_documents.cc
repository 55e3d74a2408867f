#include "cli/kpi_documents.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "cli/input_text.h"
#include "cli/params.h"
#include "storage/base/reference.h"

namespace mendel::cli {

namespace {

[[noreturn]] void refuse(const std::string& place, const std::string& rule) {
  throw Error(ErrorCode::invalid_argument, place + ": " + rule);
}

KpiDocument parse_definition(Json definition, const std::string& place) {
  if (!definition.is_object()) refuse(place, "is no mapping of names to values");
  const auto id = definition.find("id");
  if (id == definition.end() || !id->is_string()) refuse(place, "needs \"id\", a text");
  KpiDocument document{*id, Json(), place};
  try {
    Name::parse("a KPI's id", document.id);
  } catch (const Error& error) {
    refuse(place, error.what());
  }
  definition.erase(id);
  document.body = std::move(definition);
  return document;
}

void parse_list(const Json& list, const std::string& place,
                std::vector<KpiDocument>& parsed) {
  if (!list.is_array()) refuse(place, "\"kpis\" is no list of definitions");
  for (std::size_t i = 0; i < list.size(); ++i) {
    parsed.push_back(parse_definition(list[i], fmt::format("{}, KPI {}", place, i + 1)));
  }
}

void refuse_doubles(const std::vector<KpiDocument>& documents) {
  std::set<std::string> seen;
  for (const KpiDocument& document : documents) {
    if (!seen.insert(Name::parse("a KPI's id", document.id).folded()).second) {
      refuse(document.place, document.id + " occurs twice");
    }
  }
}

// A number as it is compared: 1e9 in a file is 1000000000 on the server.
Json plain(const Json& value) {
  if (value.is_number()) return value.get<double>();
  if (value.is_array()) {
    Json list = Json::array();
    for (const Json& item : value) list.push_back(plain(item));
    return list;
  }
  if (!value.is_object()) return value;
  Json object = Json::object();
  for (const auto& [name, member] : value.items()) object[name] = plain(member);
  return object;
}

}  // namespace

std::string KpiDocument::path() const { return kpi_path(id); }

std::vector<KpiDocument> parse_kpi_documents(const std::string& text,
                                             const std::string& file) {
  std::vector<Json> documents;
  try {
    documents = parse_yaml_documents(text);
  } catch (const Error& error) {
    throw Error(error.code(), file + ": " + error.what());
  }
  std::vector<KpiDocument> parsed;
  for (std::size_t i = 0; i < documents.size(); ++i) {
    Json& document = documents[i];
    const std::string place =
        documents.size() == 1 ? file : fmt::format("{}, document {}", file, i + 1);
    if (!document.is_object() || !document.contains("kpis")) {
      parsed.push_back(parse_definition(std::move(document), place));
      continue;
    }
    if (document.size() > 1) refuse(place, "has more than \"kpis\"");
    parse_list(document["kpis"], place, parsed);
  }
  refuse_doubles(parsed);
  return parsed;
}

std::vector<KpiDocument> read_kpi_documents(const std::vector<std::string>& files) {
  std::vector<KpiDocument> documents;
  for (const std::string& file : files) {
    std::ranges::move(parse_kpi_documents(read_input_text(file), file),
                      std::back_inserter(documents));
  }
  if (documents.empty()) {
    throw Error(ErrorCode::invalid_argument, "there are no definitions in what was given");
  }
  refuse_doubles(documents);
  return documents;
}

std::string kpi_path(const std::string& id) {
  return "/api/v1/kpis/" + percent_encode(Name::parse("a KPI's id", id).text());
}

Json definition_in(const Json& told) {
  static const std::set<std::string> kAdded = {"id", "revision", "defined_at", "defined_by",
                                               "revisions"};
  static const Json kUnsaid = {{"count", "sum"},
                               {"direction", "at-least"},
                               {"allow_negative", false},
                               {"description", ""},
                               {"unit", ""},
                               {"symbol", ""},
                               {"namespaces", Json::array()},
                               {"filter", Json::object()}};
  Json definition = Json::object();
  for (const auto& [member, value] : told.items()) {
    const auto unsaid = kUnsaid.find(member);
    const bool goes_without_saying = unsaid != kUnsaid.end() && *unsaid == value;
    if (!kAdded.contains(member) && !goes_without_saying) definition[member] = plain(value);
  }
  return definition;
}

}  // namespace mendel::cli
