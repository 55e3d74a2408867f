#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "registry/api/message.h"
#include "storage/base/clock.h"
#include "storage/base/digest.h"
#include "storage/base/error.h"

namespace mendel::registry::api {

// Reads the members of a JSON object by name, remembers which it was asked for, and refuses
// the rest: an unknown field is an error, by name. Problems are gathered, so that the
// answer names every broken field; finish() throws them as one invalid_argument.
//
//   ObjectReader body(request.json());
//   const auto version = body.required<std::int64_t>("version");
//   const auto reason = body.optional_string("reason").value_or("");
//   body.finish();
//
// Where a member is missing or wrong, the value returned is empty or zero: use nothing
// before finish().
class ObjectReader {
 public:
  explicit ObjectReader(nlohmann::json object, std::string pointer = "");

  bool has(std::string_view name) const;

  std::string required_string(std::string_view name);
  std::optional<std::string> optional_string(std::string_view name);
  std::int64_t required_integer(std::string_view name);
  std::optional<std::int64_t> optional_integer(std::string_view name);
  std::optional<bool> optional_boolean(std::string_view name);
  Digest required_digest(std::string_view name);
  std::optional<Digest> optional_digest(std::string_view name);

  // Any value / an object / an array, as it stands.
  std::optional<nlohmann::json> optional_value(std::string_view name);
  std::optional<nlohmann::json> optional_object(std::string_view name);
  std::optional<nlohmann::json> optional_array(std::string_view name);
  nlohmann::json required_array(std::string_view name);
  std::vector<std::string> optional_strings(std::string_view name);

  // Calls read for each element of an array of objects, with a reader of its own.
  void each_object(std::string_view name, const std::function<void(ObjectReader&)>& read);

  // Runs a parser of the domain (Name::parse …) and, where it throws invalid_argument or
  // unprocessable, turns that into a problem of this field.
  template <class Parse>
  auto parsed(std::string_view name, Parse&& parse)
      -> std::optional<decltype(parse(std::string()))> {
    const auto text = optional_string(name);
    if (!text) return std::nullopt;
    try {
      return parse(*text);
    } catch (const Error& error) {
      problem(name, error.what());
      return std::nullopt;
    }
  }

  void problem(std::string_view name, std::string detail);

  // Finishes the reader of an inner object and takes over its problems.
  void adopt(ObjectReader& inner);

  // Throws invalid_argument with every problem, unknown members among them.
  void finish();

 private:
  void refuse_unknown();
  const nlohmann::json* find(std::string_view name);
  std::string pointer_to(std::string_view name) const;

  nlohmann::json object_;
  std::string pointer_;
  std::vector<std::string> asked_;
  std::vector<FieldError> errors_;
};

// Strict JSON: one value, valid UTF-8, no member twice, depth at most 64. Throws
// invalid_argument with the position.
nlohmann::json parse_json(std::string_view text);

// application/json, with a strong ETag over the body where handlers ask for one.
Response json_response(int status, const nlohmann::json& body);
Response no_content();

// {"items": […], "next": "…"}: next is left out at the end of the list.
Response list_response(nlohmann::json items, const std::optional<std::string>& next);

// A strong entity tag over everything in the body: SHA-256, shortened.
std::string entity_tag(std::string_view body);

// Sets the ETag from the body, and answers 304 where If-None-Match has it.
Response with_etag(const class Request& request, Response response);

}  // namespace mendel::registry::api
