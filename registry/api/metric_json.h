#pragma once

#include <nlohmann/json.hpp>

namespace mendel::registry::api {

// A metric's value as JSON: a number, or "NaN", "Infinity", "-Infinity".
nlohmann::json metric_value(double value);

}  // namespace mendel::registry::api
