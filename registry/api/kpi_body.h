#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace mendel::registry::api {

// The definition of a KPI, checked and in canonical JSON. Whether the namespaces that it
// names are there is not its affair. Throws invalid_argument with every broken field.
std::string read_kpi_body(const nlohmann::json& document);

}  // namespace mendel::registry::api
