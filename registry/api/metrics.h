#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "registry/api/application.h"

namespace mendel::registry::api {

// What /metrics shows (Prometheus text format): requests by route and status, their
// duration and bytes. Routes are labelled by pattern, so names of users' things never
// become labels. Any thread.
class Metrics {
 public:
  Metrics();
  ~Metrics();

  void request_completed(std::string_view method, std::string_view pattern,
                         const Completion& completion);
  std::string text() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace mendel::registry::api
