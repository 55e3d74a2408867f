#include "registry/api/request.h"

#include <charconv>

#include "registry/api/json.h"
#include "storage/base/error.h"

namespace mendel::registry::api {

namespace {

constexpr std::size_t kLimitDefault = 100;
constexpr std::size_t kLimitMax = 1000;

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t'))
    text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t'))
    text.remove_suffix(1);
  return text;
}

// Entity tags of ours hold no comma, so a list can be split at commas.
template <class Matches>
bool any_tag(std::string_view list, Matches matches) {
  while (!list.empty()) {
    const auto comma = list.find(',');
    if (matches(trim(list.substr(0, comma)))) return true;
    if (comma == std::string_view::npos) break;
    list.remove_prefix(comma + 1);
  }
  return false;
}

}  // namespace

std::string_view Request::path(std::string_view name) const {
  for (const auto& [part, value] : path_) {
    if (part == name) return value;
  }
  throw Error(ErrorCode::internal, "no part of this route is named " + std::string(name));
}

std::optional<std::string_view> Request::query(std::string_view name) const {
  for (const auto& [parameter, value] : query_) {
    if (parameter == name) return value;
  }
  return std::nullopt;
}

std::size_t Request::limit() const {
  const auto text = query("limit");
  if (!text) return kLimitDefault;
  std::size_t limit = 0;
  const auto [end, status] =
      std::from_chars(text->data(), text->data() + text->size(), limit);
  if (status != std::errc() || end != text->data() + text->size() || limit < 1 ||
      limit > kLimitMax) {
    throw Error(ErrorCode::invalid_argument, "limit is a whole number from 1 to 1000");
  }
  return limit;
}

bool Request::none_match(std::string_view etag) const {
  if (head_->method != "GET" && head_->method != "HEAD") return false;
  const auto list = header("If-None-Match");
  return list && any_tag(*list, [&](std::string_view tag) {
           if (tag.starts_with("W/")) tag.remove_prefix(2);
           return tag == "*" || tag == etag;
         });
}

void Request::require_match(std::string_view etag) const {
  const auto list = header("If-Match");
  if (!list) return;
  const bool matches =
      any_tag(*list, [&](std::string_view tag) { return tag == "*" || tag == etag; });
  if (!matches) {
    throw Error(ErrorCode::failed_precondition,
                "If-Match does not name the current state, which is " + std::string(etag));
  }
}

nlohmann::json Request::json() const {
  if (body_.empty()) {
    throw Error(ErrorCode::invalid_argument,
                "the body must be a JSON document, and is empty");
  }
  return parse_json(body_);
}

}  // namespace mendel::registry::api
