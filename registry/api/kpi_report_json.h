#pragma once

#include <nlohmann/json.hpp>

#include "registry/services/ledger/amount.h"
#include "registry/services/ledger/report.h"

namespace mendel::registry::api {

// The report as API.md shows it. What is sealed is the canonical form of this document.
nlohmann::json to_json(const Report& report);

// A number: an integer where it is whole and a double holds it exactly.
nlohmann::json number_json(const Amount& amount);
nlohmann::json number_json(double number);

}  // namespace mendel::registry::api
