#include "registry/api/kpi_body.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "storage/base/error.h"

namespace mendel::registry::api {
namespace {

using nlohmann::json;

json document(const json& others = json::object()) {
  json document{{"title", "Talks"}, {"threshold", 3}};
  document.update(others);
  return document;
}

std::string pointer_of_problem(const json& body) {
  try {
    read_kpi_body(body);
    return "none";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
    if (error.fields().size() != 1) return error.what();
    return error.fields()[0].pointer;
  }
}

TEST(KpiBody, IsKeptInCanonicalForm) {
  EXPECT_EQ(read_kpi_body(document()), R"({"threshold":3,"title":"Talks"})");
  EXPECT_EQ(read_kpi_body(document({{"threshold", 3.0}})), read_kpi_body(document()));
}

TEST(KpiBody, TakesAllThatADefinitionHas) {
  const json all = document({{"description", "two\nlines"},
                             {"unit", "use-cases"},
                             {"symbol", "N_UC"},
                             {"display", {{"unit", "dozens"}, {"scale", 12}}},
                             {"count", {{"distinct", "use-case"}}},
                             {"direction", "at-most"},
                             {"since", "2023-09-01"},
                             {"deadline", "2023-09-01"},
                             {"namespaces", {"lhcb", "cms"}},
                             {"filter", {{"site", "CNAF"}, {"x", {"1", "2"}}}},
                             {"keys", {"experiment"}},
                             {"allow_negative", true}});
  EXPECT_EQ(json::parse(read_kpi_body(all)), all);
}

TEST(KpiBody, SaysWhichMemberBreaksWhichRule) {
  EXPECT_EQ(pointer_of_problem({{"title", "Talks"}}), "/threshold");
  EXPECT_EQ(pointer_of_problem({{"threshold", 3}}), "/title");
  const std::pair<json, std::string> wrong[] = {
      {{{"tresholds", 3}}, "/tresholds"},
      {{{"title", ""}}, "/title"},
      {{{"title", std::string(201, 'a')}}, "/title"},
      {{{"title", "two\nlines"}}, "/title"},
      {{{"unit", 3}}, "/unit"},
      {{{"threshold", 0}}, "/threshold"},
      {{{"threshold", -1}}, "/threshold"},
      {{{"threshold", "3"}}, "/threshold"},
      {{{"threshold", 2e18}}, "/threshold"},
      {{{"display", {{"scale", 0}}}}, "/display/scale"},
      {{{"display", {{"name", "x"}}}}, "/display/name"},
      {{{"count", "max"}}, "/count"},
      {{{"count", 1}}, "/count"},
      {{{"count", {{"distinct", "month"}}}}, "/count/distinct"},
      {{{"direction", "up"}}, "/direction"},
      {{{"since", "2023-09-01T00:00:00Z"}}, "/since"},
      {{{"since", "2023-09-31"}}, "/since"},
      {{{"since", "2023-09-02"}, {"deadline", "2023-09-01"}}, "/deadline"},
      {{{"namespaces", {"lhcb", "LHCb"}}}, "/namespaces"},
      {{{"namespaces", {"not a name"}}}, "/namespaces"},
      {{{"filter", {{"model", "x"}}}}, "/filter"},
      {{{"filter", {{"site", json::array()}}}}, "/filter"},
      {{{"filter", {{"site", 3}}}}, "/filter"},
      {{{"keys", {"1st"}}}, "/keys"},
      {{{"keys", json(std::vector<std::string>(9, "k"))}}, "/keys"},
      {{{"allow_negative", "yes"}}, "/allow_negative"}};
  for (const auto& [others, pointer] : wrong) {
    EXPECT_EQ(pointer_of_problem(document(others)), pointer) << others;
  }
}

}  // namespace
}  // namespace mendel::registry::api
