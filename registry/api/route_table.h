#pragma once

#include <exception>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "registry/api/routes.h"

namespace mendel::registry::api {

// The routes, made ready for finding the one that a request is for. Immutable: any thread.
class RouteTable {
 public:
  // Throws internal for a row that makes no sense, so that no server starts with it: no
  // handler, a namespace policy on a path without {ns}, a pattern twice.
  explicit RouteTable(std::span<const Route> routes);

  // A request's route, with the parts of its path that the pattern names and its query,
  // both percent-decoded.
  struct Found {
    const Route* route = nullptr;
    std::vector<std::pair<std::string_view, std::string>> path;
    std::vector<std::pair<std::string, std::string>> query;
  };

  // HEAD is found as GET is. Throws not_found, MethodNotAllowed, and invalid_argument for a
  // target that is none. The query's names are not looked at.
  Found find(std::string_view method, std::string_view target) const;

  struct MethodNotAllowed : std::exception {};
  std::string methods_at(std::string_view target) const;  // "GET, HEAD, PUT"

 private:
  struct CompiledRoute {
    const Route* route;
    std::vector<std::string_view> parts;
    bool takes_rest = false;  // its last part is {name...}
    bool is_literal = true;   // no part of it is a variable

    bool matches(const std::vector<std::string>& path) const;
    std::vector<std::pair<std::string_view, std::string>> name_parts(
        std::vector<std::string> path) const;
  };
  // Those whose pattern the path fits. A path that is spelled out in the table belongs to
  // the routes that do so: /jobs/lease is no job of that id.
  std::vector<const CompiledRoute*> candidates(const std::vector<std::string>& path) const;
  const CompiledRoute& get(std::string_view method, std::string_view target,
                           const std::vector<std::string>& path) const;

  std::vector<CompiledRoute> routes_;
};

}  // namespace mendel::registry::api
