#include "registry/api/kpi_body.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>

#include "registry/api/json.h"
#include "registry/services/ledger/definition.h"
#include "storage/base/clock.h"
#include "storage/base/error.h"
#include "storage/base/reference.h"
#include "storage/canonical_json.h"

namespace mendel::registry::api {

namespace {

using nlohmann::json;

constexpr std::size_t kTitleSizeMax = 200;
constexpr std::size_t kDescriptionSizeMax = 4096;
constexpr std::size_t kWordsSizeMax = 64;
constexpr std::size_t kNamespacesMax = 100;
constexpr std::size_t kKeysMax = 8;
constexpr std::size_t kFilteredKeysMax = 16;
constexpr std::size_t kValuesMax = 100;
constexpr std::size_t kValueSizeMax = 256;
constexpr std::size_t kDateSize = 10;  // 2024-02-13
constexpr double kNumberMax = 1e18;    // what an amount holds

bool has_control_character(std::string_view text) {
  return std::ranges::any_of(text, [](unsigned char c) { return c < ' ' || c == 0x7f; });
}

void check_words(ObjectReader& body, std::string_view member, const std::string& text,
                 std::size_t size_max) {
  if (text.size() > size_max) {
    body.problem(member, fmt::format("has more than {} bytes", size_max));
  }
  if (has_control_character(text)) body.problem(member, "contains a control character");
}

void read_words(ObjectReader& body, std::string_view member) {
  check_words(body, member, body.optional_string(member).value_or(""), kWordsSizeMax);
}

void read_title(ObjectReader& body) {
  const std::string title = body.required_string("title");
  check_words(body, "title", title, kTitleSizeMax);
  if (title.empty() && body.has("title")) body.problem("title", "must not be empty");
}

void read_description(ObjectReader& body) {
  const auto text = body.optional_string("description");
  if (text && text->size() > kDescriptionSizeMax) {
    body.problem("description", fmt::format("has more than {} bytes", kDescriptionSizeMax));
  }
}

void read_positive(ObjectReader& body, std::string_view member) {
  const auto value = body.optional_value(member);
  if (!value) return;
  const double number = value->is_number() ? value->get<double>() : 0;
  if (!(number > 0) || number > kNumberMax) {
    body.problem(member, "must be a number above 0, and at most 1e18");
  }
}

void read_display(ObjectReader& body) {
  const auto object = body.optional_object("display");
  if (!object) return;
  ObjectReader display(*object, "/display");
  read_words(display, "unit");
  read_positive(display, "scale");
  body.adopt(display);
}

void check_key(ObjectReader& body, std::string_view member, const std::string& key) {
  if (is_subject_key(key)) return;
  body.problem(member, fmt::format("'{}' is no subject key: a letter and then up to 63 "
                                   "letters, digits, '_', '.', '-', and neither 'model' "
                                   "nor 'month'",
                                   key.substr(0, kWordsSizeMax)));
}

void read_count(ObjectReader& body) {
  constexpr std::string_view kRule =
      R"(must be "sum", "entries", or {"distinct": a subject key})";
  const auto count = body.optional_value("count");
  if (!count) return;
  if (count->is_object()) {
    ObjectReader distinct(*count, "/count");
    check_key(distinct, "distinct", distinct.required_string("distinct"));
    body.adopt(distinct);
  } else if (*count != "sum" && *count != "entries") {
    body.problem("count", std::string(kRule));
  }
}

void read_direction(ObjectReader& body) {
  const auto direction = body.optional_string("direction");
  if (direction && *direction != "at-least" && *direction != "at-most") {
    body.problem("direction", R"(must be "at-least" or "at-most")");
  }
}

std::optional<Timestamp> read_date(ObjectReader& body, std::string_view member) {
  return body.parsed(member, [](const std::string& text) {
    if (text.size() != kDateSize) {
      throw Error(ErrorCode::invalid_argument, "must be a date: 2024-02-13");
    }
    return parse_rfc3339(text);
  });
}

void read_dates(ObjectReader& body) {
  const auto since = read_date(body, "since");
  const auto deadline = read_date(body, "deadline");
  if (since && deadline && *deadline < *since) {
    body.problem("deadline", "is before since");
  }
}

void read_namespaces(ObjectReader& body) {
  const auto names = body.optional_strings("namespaces");
  if (names.size() > kNamespacesMax) {
    body.problem("namespaces", fmt::format("has more than {} names", kNamespacesMax));
  }
  std::set<std::string> seen;
  for (const std::string& name : names) {
    try {
      if (!seen.insert(Name::parse("a namespace", name).folded()).second) {
        body.problem("namespaces", "names " + name + " twice");
      }
    } catch (const Error& error) {
      body.problem("namespaces", error.what());
    }
  }
}

bool is_value(const json& value) {
  return value.is_string() && value.get_ref<const std::string&>().size() <= kValueSizeMax;
}

void read_filter(ObjectReader& body) {
  const auto filter = body.optional_object("filter");
  if (!filter) return;
  if (filter->size() > kFilteredKeysMax) {
    body.problem("filter", fmt::format("has more than {} keys", kFilteredKeysMax));
  }
  for (const auto& [key, value] : filter->items()) {
    check_key(body, "filter", key);
    const bool is_list = value.is_array() && !value.empty() && value.size() <= kValuesMax &&
                         std::ranges::all_of(value, is_value);
    if (is_list || is_value(value)) continue;
    body.problem("filter",
                 fmt::format("has for each key a value of at most {} bytes, or 1 to {} of "
                             "them",
                             kValueSizeMax, kValuesMax));
  }
}

void read_keys(ObjectReader& body) {
  const auto keys = body.optional_strings("keys");
  if (keys.size() > kKeysMax) {
    body.problem("keys", fmt::format("has more than {} keys", kKeysMax));
  }
  for (const std::string& key : keys) check_key(body, "keys", key);
}

}  // namespace

std::string read_kpi_body(const json& document) {
  ObjectReader body(document);
  read_title(body);
  read_description(body);
  read_words(body, "unit");
  read_words(body, "symbol");
  read_display(body);
  read_count(body);
  if (!body.has("threshold")) body.problem("threshold", "is required");
  read_positive(body, "threshold");
  read_direction(body);
  read_dates(body);
  read_namespaces(body);
  read_filter(body);
  read_keys(body);
  body.optional_boolean("allow_negative");
  body.finish();
  return storage::canonical_json(document);
}

}  // namespace mendel::registry::api
