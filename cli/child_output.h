#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace mendel::cli {

// What a program prints on its standard output; it has no input, and what it says on
// standard error is lost. nullopt if it cannot be started, fails, prints more than
// size_bytes_max or takes longer than time_max: then it is killed, and its children with
// it.
std::optional<std::string> find_output(const std::vector<std::string>& command,
                                       std::chrono::milliseconds time_max,
                                       std::size_t size_bytes_max);

}  // namespace mendel::cli
