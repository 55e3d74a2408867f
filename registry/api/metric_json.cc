#include "registry/api/metric_json.h"

#include <cmath>

namespace mendel::registry::api {

nlohmann::json metric_value(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  return value;
}

}  // namespace mendel::registry::api
