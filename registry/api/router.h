#pragma once

#include <memory>
#include <span>

#include "registry/api/application.h"
#include "registry/api/metrics.h"
#include "registry/api/request.h"
#include "registry/api/route_table.h"
#include "registry/api/routes.h"
#include "registry/services/services.h"

namespace mendel::registry::api {

// Between the server and the handlers: finds the route, asks who is calling and whether it
// may, keeps the limits, calls the handler, and turns whatever is thrown into a problem:
// the one place where errors are caught. Any thread.
class Router : public Application {
 public:
  // Throws internal for a row that makes no sense: see RouteTable.
  Router(std::span<const Route> routes, Services& services, Metrics& metrics);

  std::unique_ptr<Exchange> open(const RequestHead& head) noexcept override;

 private:
  class RoutedExchange;

  void authorise(const Route& route, Request& request) const;
  bool authorise_from_memory(const Route& route, Request& request) const;

  const RouteTable routes_;
  Services& services_;
  Metrics& metrics_;
};

}  // namespace mendel::registry::api
