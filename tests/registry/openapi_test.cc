#include "registry/api/openapi.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "registry/api/routes.h"

namespace mendel::registry::api {
namespace {

using nlohmann::json;
using ::testing::Contains;
using ::testing::IsSupersetOf;
using ::testing::UnorderedElementsAreArray;
using Names = std::set<std::string>;

const json& document() {
  static const json parsed = json::parse(openapi_document());
  return parsed;
}

const json& followed(const json& value) {
  const auto ref = value.find("$ref");
  if (ref == value.end()) return value;
  return document().at(json::json_pointer(ref->get<std::string>().substr(1)));
}

// "{path...}" is "{path}" in OpenAPI.
std::string path_of(const Route& route) {
  std::string path(route.pattern);
  if (const auto dots = path.find("...}"); dots != std::string::npos) path.erase(dots, 3);
  return path;
}

std::string method_of(const Route& route) {
  std::string method(route.method);
  for (char& c : method) c = static_cast<char>(c | 0x20);
  return method;
}

std::string name_of(const Route& route) { return method_of(route) + " " + path_of(route); }

const json& operation_of(const Route& route) {
  return document().at("paths").at(path_of(route)).at(method_of(route));
}

std::vector<const json*> all_operations() {
  std::vector<const json*> operations;
  for (const json& path : document().at("paths")) {
    for (const json& operation : path) operations.push_back(&operation);
  }
  return operations;
}

Names parameters(const json& operation, std::string_view place) {
  Names names;
  for (const json& entry : operation.value("parameters", json::array())) {
    const json& parameter = followed(entry);
    if (parameter.at("in") == place) names.insert(parameter.at("name").get<std::string>());
  }
  return names;
}

Names variables_of(const std::string& path) {
  Names names;
  for (auto open = path.find('{'); open != std::string::npos;
       open = path.find('{', open + 1)) {
    names.insert(path.substr(open + 1, path.find('}', open) - open - 1));
  }
  return names;
}

Names words_of(std::string_view text) {
  std::istringstream words{std::string(text)};
  return {std::istream_iterator<std::string>(words), {}};
}

template <class Visit>
void walk(const json& value, Visit visit) {
  visit(value);
  if (!value.is_structured()) return;
  for (const json& inner : value) walk(inner, visit);
}

TEST(OpenApi, DescribesTheRoutesThatThereAreAndNoOthers) {
  Names described;
  for (const auto& [path, operations] : document().at("paths").items()) {
    for (const auto& [method, operation] : operations.items()) {
      described.insert(method + " " + path);
    }
  }
  Names existing;
  for (const Route& route : routes()) existing.insert(name_of(route));

  EXPECT_THAT(described, UnorderedElementsAreArray(existing));
}

TEST(OpenApi, DeclaresTheParametersThatARouteTakes) {
  for (const Route& route : routes()) {
    SCOPED_TRACE(name_of(route));
    const json& operation = operation_of(route);
    EXPECT_EQ(parameters(operation, "path"), variables_of(path_of(route)));
    EXPECT_EQ(parameters(operation, "query"), words_of(route.query));
  }
}

TEST(OpenApi, RequiresEveryPartOfAPath) {
  for (const json& parameter : document().at("components").at("parameters")) {
    EXPECT_EQ(parameter.value("required", false), parameter.at("in") == "path")
        << parameter;
  }
}

TEST(OpenApi, AsksForATokenWhereTheRouteDoes) {
  for (const Route& route : routes()) {
    SCOPED_TRACE(name_of(route));
    const json& security = operation_of(route).at("security");
    const bool takes_anybody =
        route.policy == Policy::open || route.policy == Policy::ns_reader;
    EXPECT_EQ(security.front() == json::object(), takes_anybody);
    EXPECT_THAT(security, Contains(json({{"bearer", json::array()}})));
    EXPECT_THAT(security, Contains(json({{"basic", json::array()}})));
  }
}

TEST(OpenApi, TakesABodyWhereTheRouteDoes) {
  for (const Route& route : routes()) {
    SCOPED_TRACE(name_of(route));
    EXPECT_EQ(operation_of(route).contains("requestBody"), route.body != BodyLimit::none);
  }
}

TEST(OpenApi, SaysWhatEveryRouteMayAnswer) {
  for (const Route& route : routes()) {
    SCOPED_TRACE(name_of(route));
    Names statuses;
    for (const auto& [status, response] : operation_of(route).at("responses").items()) {
      statuses.insert(status);
    }
    EXPECT_THAT(statuses, IsSupersetOf({"400", "401", "431", "500", "503"}));
    if (route.policy != Policy::open && route.policy != Policy::authenticated &&
        route.policy != Policy::admin) {
      EXPECT_THAT(statuses, Contains("404"));
    }
    if (route.policy != Policy::open && route.policy != Policy::authenticated &&
        route.policy != Policy::ns_reader) {
      EXPECT_THAT(statuses, Contains("403"));
    }
    if (route.body != BodyLimit::none) {
      EXPECT_THAT(statuses, Contains("413"));
    }
  }
}

TEST(OpenApi, TellsEveryFailureAsAProblem) {
  const json problem{{"application/problem+json",
                      {{"schema", {{"$ref", "#/components/schemas/Problem"}}}}}};
  for (const json* operation : all_operations()) {
    SCOPED_TRACE(operation->at("operationId"));
    for (const auto& [status, response] : operation->at("responses").items()) {
      if (status < "400") continue;
      EXPECT_EQ(followed(response).at("content"), problem) << status;
    }
  }
}

TEST(OpenApi, RefusesUnknownFieldsInEveryBody) {
  for (const json* operation : all_operations()) {
    if (!operation->contains("requestBody")) continue;
    SCOPED_TRACE(operation->at("operationId"));
    const json& content = operation->at("requestBody").at("content");
    if (!content.contains("application/json")) continue;
    const json& schema = followed(content.at("application/json").at("schema"));
    EXPECT_EQ(schema.at("additionalProperties"), false);
  }
}

TEST(OpenApi, RefersOnlyToWhatItHolds) {
  std::size_t count = 0;
  walk(document(), [&](const json& value) {
    if (!value.is_object() || !value.contains("$ref")) return;
    ++count;
    const auto ref = value.at("$ref").get<std::string>();
    ASSERT_EQ(ref.substr(0, 2), "#/");
    EXPECT_TRUE(document().contains(json::json_pointer(ref.substr(1)))) << ref;
  });
  EXPECT_GT(count, 0u);
}

TEST(OpenApi, HoldsNothingThatIsNotReferredTo) {
  Names referred;
  walk(document(), [&](const json& value) {
    if (value.is_object() && value.contains("$ref"))
      referred.insert(value.at("$ref").get<std::string>());
  });
  for (const char* kind : {"schemas", "parameters", "responses", "headers"}) {
    for (const auto& [name, component] : document().at("components").at(kind).items()) {
      EXPECT_THAT(referred, Contains("#/components/" + std::string(kind) + "/" + name));
    }
  }
}

TEST(OpenApi, NamesEachOperationDifferently) {
  Names ids;
  for (const json* operation : all_operations()) {
    EXPECT_TRUE(ids.insert(operation->at("operationId").get<std::string>()).second)
        << operation->at("operationId");
  }
}

}  // namespace
}  // namespace mendel::registry::api
