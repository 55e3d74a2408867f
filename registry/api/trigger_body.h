#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace mendel::registry::api {

// A trigger's document: canonical JSON with nothing left out, so that the same trigger is
// the same text. Throws invalid_argument, naming every field that is missing, unknown or
// breaks a rule: a schedule that never comes, a pattern that is none, conditions that are
// nested too deep.
std::string read_trigger_body(const nlohmann::json& document);

}  // namespace mendel::registry::api
