#pragma once

#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "registry/api/application.h"
#include "registry/api/metrics.h"
#include "registry/api/request.h"
#include "registry/api/routes.h"
#include "registry/services/services.h"

namespace mendel::registry::api {

// Between the server and the handlers: finds the route, asks who is calling and whether it
// may, keeps the limits, calls the handler, and turns whatever is thrown into a problem:
// the one place where errors are caught. Any thread.
class Router : public Application {
 public:
  // Throws internal for a row of the table that makes no sense, so that the server does not
  // start with it: no handler, a namespace policy on a path without {ns}, a pattern twice.
  Router(std::span<const Route> routes, Services& services, Metrics& metrics);

  std::optional<Response> answer_from_memory(const RequestHead& head) noexcept override;
  Begun begin(const RequestHead& head) noexcept override;
  Response refuse(const RequestHead& head, int status,
                  std::string_view detail) noexcept override;
  void completed(const RequestHead& head, const Completion& completion) noexcept override;

 private:
  struct CompiledRoute {
    const Route* route;
    std::vector<std::string_view> parts;
    bool takes_rest = false;  // its last part is {name...}
  };
  struct Match {
    const Route* route = nullptr;
    Request request;
  };
  struct MethodNotAllowed : std::exception {};
  class RoutedExchange;

  static bool matches(const CompiledRoute& candidate,
                      const std::vector<std::string>& parts);
  static void name_parts(const CompiledRoute& route, std::vector<std::string> parts,
                         Request& request);
  static void check_query(const Match& match);

  // Throws not_found, MethodNotAllowed, invalid_argument.
  Match get_route(const RequestHead& head) const;
  std::string methods_at(std::string_view target) const;
  void authorise(Match& match) const;
  bool authorise_from_memory(Match& match) const;

  template <class Step>
  std::optional<Response> guarded(const RequestHead& head, Step step) const noexcept;
  Response failure(const RequestHead& head, const Error& error) const noexcept;

  std::vector<CompiledRoute> routes_;
  Services& services_;
  Metrics& metrics_;
};

}  // namespace mendel::registry::api
