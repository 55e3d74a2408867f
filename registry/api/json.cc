#include "registry/api/json.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "registry/api/request.h"

namespace mendel::registry::api {

namespace {

using nlohmann::json;

constexpr int kJsonDepthMax = 64;

// Builds the document while it refuses what nlohmann's own parser lets pass: members that
// occur twice, nesting that could exhaust the stack of whoever walks the result, and whole
// numbers that it would round to the nearest double.
class StrictJson : public nlohmann::detail::json_sax_dom_parser<json> {
 public:
  explicit StrictJson(json& result) : json_sax_dom_parser(result, true) {}

  bool start_object(std::size_t size) {
    enter();
    members_.emplace_back();
    return json_sax_dom_parser::start_object(size);
  }
  bool end_object() {
    --depth_;
    members_.pop_back();
    return json_sax_dom_parser::end_object();
  }
  bool start_array(std::size_t size) {
    enter();
    return json_sax_dom_parser::start_array(size);
  }
  bool end_array() {
    --depth_;
    return json_sax_dom_parser::end_array();
  }
  bool number_float(double value, const std::string& literal) {
    if (literal.find_first_of(".eE") == std::string::npos) {
      throw Error(ErrorCode::invalid_argument,
                  fmt::format("the JSON document has a whole number beyond 64 bits: {}",
                              literal.substr(0, 40)));
    }
    return json_sax_dom_parser::number_float(value, literal);
  }
  bool key(std::string& name) {
    if (!members_.back().insert(name).second) {
      throw Error(ErrorCode::invalid_argument,
                  fmt::format("the JSON document has the member '{}' twice", name));
    }
    return json_sax_dom_parser::key(name);
  }

 private:
  void enter() {
    if (++depth_ > kJsonDepthMax) {
      throw Error(ErrorCode::invalid_argument,
                  fmt::format("the JSON document is nested deeper than {}", kJsonDepthMax));
    }
  }

  int depth_ = 0;
  std::vector<std::set<std::string>> members_;
};

std::string escape_pointer(std::string_view name) {
  std::string escaped;
  for (const char c : name) {
    if (c == '~') {
      escaped += "~0";
    } else if (c == '/') {
      escaped += "~1";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

// Some programs write the integer 90 as 90.0, which is the same number in JSON.
bool is_whole(const json& value) {
  constexpr double kExactMax = 1ll << 53;
  if (!value.is_number_float()) return false;
  const double number = value.get<double>();
  return std::trunc(number) == number && std::abs(number) <= kExactMax;
}

}  // namespace

nlohmann::json parse_json(std::string_view text) {
  json document;
  StrictJson builder(document);
  try {
    json::sax_parse(text, &builder);
  } catch (const json::exception& error) {
    fail(ErrorCode::invalid_argument, "the body is not JSON", error);
  }
  return document;
}

ObjectReader::ObjectReader(nlohmann::json object, std::string pointer)
    : object_(std::move(object)), pointer_(std::move(pointer)) {
  if (!object_.is_object()) {
    errors_.push_back({pointer_, "must be an object"});
    object_ = json::object();
  }
}

const nlohmann::json* ObjectReader::find(std::string_view name) {
  asked_.emplace_back(name);
  const auto member = object_.find(std::string(name));
  return member == object_.end() ? nullptr : &*member;
}

std::string ObjectReader::pointer_to(std::string_view name) const {
  return pointer_ + "/" + escape_pointer(name);
}

bool ObjectReader::has(std::string_view name) const {
  return object_.contains(std::string(name));
}

void ObjectReader::problem(std::string_view name, std::string detail) {
  errors_.push_back({pointer_to(name), std::move(detail)});
}

std::optional<std::string> ObjectReader::optional_string(std::string_view name) {
  const json* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_string()) {
    problem(name, "must be a string");
    return std::nullopt;
  }
  auto text = value->get<std::string>();
  if (text.find('\0') != std::string::npos) {
    problem(name, "must not contain a NUL character");
    return std::nullopt;
  }
  return text;
}

std::string ObjectReader::required_string(std::string_view name) {
  if (!has(name)) problem(name, "is required");
  return optional_string(name).value_or("");
}

std::optional<std::int64_t> ObjectReader::optional_integer(std::string_view name) {
  const json* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (value->is_number_unsigned() && value->get<std::uint64_t>() > INT64_MAX) {
    problem(name, "is too large");
    return std::nullopt;
  }
  if (is_whole(*value)) return static_cast<std::int64_t>(value->get<double>());
  if (!value->is_number_integer()) {
    problem(name, "must be a whole number");
    return std::nullopt;
  }
  return value->get<std::int64_t>();
}

std::int64_t ObjectReader::required_integer(std::string_view name) {
  if (!has(name)) problem(name, "is required");
  return optional_integer(name).value_or(0);
}

std::optional<bool> ObjectReader::optional_boolean(std::string_view name) {
  const json* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_boolean()) {
    problem(name, "must be true or false");
    return std::nullopt;
  }
  return value->get<bool>();
}

std::optional<Digest> ObjectReader::optional_digest(std::string_view name) {
  return parsed(name, [](const std::string& text) { return Digest::parse(text); });
}

Digest ObjectReader::required_digest(std::string_view name) {
  if (!has(name)) problem(name, "is required");
  return optional_digest(name).value_or(Digest());
}

std::optional<nlohmann::json> ObjectReader::optional_value(std::string_view name) {
  const json* value = find(name);
  if (value == nullptr) return std::nullopt;
  return *value;
}

std::optional<nlohmann::json> ObjectReader::optional_object(std::string_view name) {
  const json* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_object()) {
    problem(name, "must be an object");
    return std::nullopt;
  }
  return *value;
}

std::optional<nlohmann::json> ObjectReader::optional_array(std::string_view name) {
  const json* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_array()) {
    problem(name, "must be a list");
    return std::nullopt;
  }
  return *value;
}

nlohmann::json ObjectReader::required_array(std::string_view name) {
  if (!has(name)) problem(name, "is required");
  return optional_array(name).value_or(json::array());
}

std::vector<std::string> ObjectReader::optional_strings(std::string_view name) {
  std::vector<std::string> strings;
  const auto array = optional_array(name).value_or(json::array());
  for (std::size_t i = 0; i < array.size(); ++i) {
    if (array[i].is_string()) {
      strings.push_back(array[i].get<std::string>());
    } else {
      errors_.push_back({fmt::format("{}/{}", pointer_to(name), i), "must be a string"});
    }
  }
  return strings;
}

void ObjectReader::each_object(std::string_view name,
                               const std::function<void(ObjectReader&)>& read) {
  auto array = optional_array(name).value_or(json::array());
  for (std::size_t i = 0; i < array.size(); ++i) {
    ObjectReader element(std::move(array[i]), fmt::format("{}/{}", pointer_to(name), i));
    if (element.errors_.empty()) read(element);
    adopt(element);
  }
}

void ObjectReader::refuse_unknown() {
  for (const auto& [name, value] : object_.items()) {
    if (std::ranges::find(asked_, name) == asked_.end())
      problem(name, "is not a known field");
  }
}

void ObjectReader::adopt(ObjectReader& inner) {
  inner.refuse_unknown();
  errors_.insert(errors_.end(), inner.errors_.begin(), inner.errors_.end());
}

void ObjectReader::finish() {
  refuse_unknown();
  if (errors_.empty()) return;
  const FieldError& first = errors_.front();
  throw Error(ErrorCode::invalid_argument,
              fmt::format("{} {}", first.pointer.empty() ? "the body" : first.pointer,
                          first.detail),
              errors_);
}

Response json_response(int status, const nlohmann::json& body) {
  Response response;
  response.status = status;
  response.headers.set("Content-Type", "application/json");
  response.headers.set("Cache-Control", "no-cache");
  response.body = body.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
  return response;
}

Response no_content() {
  Response response;
  response.status = 204;
  return response;
}

Response list_response(nlohmann::json items, const std::optional<std::string>& next) {
  json body{{"items", std::move(items)}};
  if (next) body["next"] = *next;
  return json_response(200, body);
}

std::string entity_tag(std::string_view body) {
  constexpr std::size_t kTagDigits = 32;
  return '"' + Digest::of(body).hex().substr(0, kTagDigits) + '"';
}

Response with_etag(const Request& request, Response response) {
  const auto* body = std::get_if<std::string>(&response.body);
  const std::string tag = entity_tag(body != nullptr ? *body : "");
  response.headers.set("ETag", tag);
  if (response.status == 200 && request.none_match(tag)) {
    response.status = 304;
    response.body = std::string();
  }
  return response;
}

}  // namespace mendel::registry::api
