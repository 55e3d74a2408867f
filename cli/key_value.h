#pragma once

#include <string>
#include <string_view>

#include "cli/api_client.h"

namespace mendel::cli {

struct KeyValue {
  std::string key;
  std::string value;
};

// "KEY=VALUE" as it was given to an option. Throws invalid_argument.
KeyValue parse_key_value(std::string_view option, std::string_view text);

// A number as the wire has it: what JSON cannot carry as "NaN", "Infinity", "-Infinity".
// Throws invalid_argument.
Json metric_value(const KeyValue& metric);

}  // namespace mendel::cli
