#pragma once

#include <cstddef>
#include <span>

namespace mendel::testing {

// What the commands of jobs leave behind, and what users keep their pipelines in. Abort if
// a reader throws anything but an Error that says that the input is wrong or too large, or
// takes what the server does not. Return whether the input was accepted.
bool read_hostile_metrics_file(std::span<const std::byte> input);
bool read_hostile_yaml_documents(std::span<const std::byte> input);

}  // namespace mendel::testing
