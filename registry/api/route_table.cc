#include "registry/api/route_table.h"

#include <fmt/format.h>

#include <algorithm>

#include "registry/api/target.h"
#include "storage/base/error.h"

namespace mendel::registry::api {

namespace {

std::vector<std::string_view> split_path(std::string_view pattern) {
  std::vector<std::string_view> parts;
  while (!pattern.empty()) {
    pattern.remove_prefix(1);  // '/'
    parts.push_back(pattern.substr(0, pattern.find('/')));
    pattern.remove_prefix(parts.back().size());
  }
  return parts;
}

bool is_variable(std::string_view part) { return part.starts_with('{'); }

std::string_view variable_name(std::string_view part) {
  part.remove_prefix(1);
  part.remove_suffix(part.ends_with("...}") ? 4 : 1);
  return part;
}

bool is_kind(std::string_view part) {
  return part == "models" || part == "datasets" || part == "environments";
}

bool fits(std::string_view pattern, std::string_view part) {
  if (pattern == "{kind}") return is_kind(part);
  return is_variable(pattern) ? !part.empty() : pattern == part;
}

void check(const Route& route) {
  const bool answers = route.handlers.answer != nullptr;
  const bool uploads = route.handlers.upload != nullptr;
  const bool has_ns = route.pattern.find("{ns}") != std::string_view::npos;
  const bool streams = route.body == BodyLimit::stream;
  if (answers == uploads || uploads != streams || (role_of(route.policy) && !has_ns)) {
    throw Error(ErrorCode::internal,
                fmt::format("the route {} {} makes no sense", route.method, route.pattern));
  }
}

}  // namespace

RouteTable::RouteTable(std::span<const Route> routes) {
  for (const Route& route : routes) {
    check(route);
    CompiledRoute compiled{&route, split_path(route.pattern)};
    compiled.is_literal = std::ranges::none_of(compiled.parts, is_variable);
    compiled.takes_rest =
        !compiled.parts.empty() && compiled.parts.back().ends_with("...}");
    for (const CompiledRoute& other : routes_) {
      if (other.route->method == route.method && other.route->pattern == route.pattern) {
        throw Error(ErrorCode::internal, fmt::format("the route {} {} is there twice",
                                                     route.method, route.pattern));
      }
    }
    routes_.push_back(std::move(compiled));
  }
}

// From the end, for all paths begin alike.
bool RouteTable::CompiledRoute::matches(const std::vector<std::string>& path) const {
  if (takes_rest ? path.size() < parts.size() : path.size() != parts.size()) return false;
  for (std::size_t i = takes_rest ? parts.size() - 1 : parts.size(); i-- > 0;) {
    if (!fits(parts[i], path[i])) return false;
  }
  return true;
}

std::vector<std::pair<std::string_view, std::string>> RouteTable::CompiledRoute::name_parts(
    std::vector<std::string> path) const {
  std::vector<std::pair<std::string_view, std::string>> named;
  named.reserve(parts.size());
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (!is_variable(parts[i])) continue;
    std::string value = std::move(path[i]);
    if (takes_rest && i + 1 == parts.size()) {
      for (std::size_t rest = i + 1; rest < path.size(); ++rest) value += "/" + path[rest];
    }
    named.emplace_back(variable_name(parts[i]), std::move(value));
  }
  return named;
}

RouteTable::Found RouteTable::find(std::string_view method, std::string_view target) const {
  Target parsed = parse_target(target);
  const CompiledRoute& found = get(method, target, parsed.parts);
  return {found.route, found.name_parts(std::move(parsed.parts)), std::move(parsed.query)};
}

std::vector<const RouteTable::CompiledRoute*> RouteTable::candidates(
    const std::vector<std::string>& path) const {
  std::vector<const CompiledRoute*> found;
  bool is_spelled_out = false;
  for (const CompiledRoute& candidate : routes_) {
    if (!candidate.matches(path)) continue;
    found.push_back(&candidate);
    is_spelled_out = is_spelled_out || candidate.is_literal;
  }
  if (is_spelled_out) {
    std::erase_if(found, [](const CompiledRoute* route) { return !route->is_literal; });
  }
  return found;
}

const RouteTable::CompiledRoute& RouteTable::get(
    std::string_view method, std::string_view target,
    const std::vector<std::string>& path) const {
  const CompiledRoute* as_get = nullptr;
  const auto found = candidates(path);
  for (const CompiledRoute* candidate : found) {
    if (candidate->route->method == method) return *candidate;
    if (candidate->route->method == "GET") as_get = candidate;
  }
  if (as_get != nullptr && method == "HEAD") return *as_get;
  if (!found.empty()) throw MethodNotAllowed{};
  throw Error(ErrorCode::not_found,
              fmt::format("there is nothing at {}", target.substr(0, target.find('?'))));
}

std::string RouteTable::methods_at(std::string_view target) const {
  std::string methods;
  for (const CompiledRoute* candidate : candidates(parse_target(target).parts)) {
    if (!methods.empty()) methods += ", ";
    methods += candidate->route->method;
    if (candidate->route->method == "GET") methods += ", HEAD";
  }
  return methods;
}

}  // namespace mendel::registry::api
