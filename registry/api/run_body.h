#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "registry/services/inputs.h"
#include "registry/services/runs.h"

namespace mendel::registry::api {

// What a request for a run asks for. Both throw invalid_argument with every broken rule.

struct RunBody {
  Name ns;
  RunService::Request run;  // without its inputs, which are still to be frozen
  std::vector<InputRequest> inputs;
};
RunBody read_run_body(const nlohmann::json& document);

RunService::Change read_run_change(nlohmann::json document);

}  // namespace mendel::registry::api
