#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace mendel::cli {

// What becomes of a number that JSON cannot carry exactly.
enum class Lossy { refuse, as_text };

enum class ParamsNotation { json, yaml };

// Reads a file of hyperparameters; "-" is standard input. A name that ends in .json is
// JSON, .yaml and .yml are YAML; of any other, what begins with '{' is JSON and the rest
// YAML.
//
// The result is an object that canonical_json() takes, nested no deeper than
// kParamsDepthMax, of at most kParamsSizeMax bytes and kParamsValuesMax values once aliases
// are resolved. Throws invalid_argument with the line or the JSON pointer of what breaks a
// rule: names that occur twice, NaN, infinities, numbers beyond a double's range and
// integers beyond 2^53 (which Lossy::as_text keeps as they were written), and too_large.
nlohmann::json load_params(const std::string& file, Lossy lossy);

nlohmann::json parse_params(std::string_view text, ParamsNotation notation, Lossy lossy);

// Each document of a YAML 1.2 file, by the same rules; empty ones are left out. Throws
// invalid_argument.
std::vector<nlohmann::json> parse_yaml_documents(std::string_view text);

inline constexpr int kParamsDepthMax = 48;
inline constexpr std::size_t kParamsSizeMax = 4u << 20;
inline constexpr std::size_t kParamsValuesMax = 200'000;

}  // namespace mendel::cli
