#pragma once

#include <string>
#include <utility>
#include <vector>

#include "storage/base/process.h"

namespace mendel::cli {

using Variables = std::vector<std::pair<std::string, std::string>>;

// "NAME=value" of this process's environment and of the variables, which come first where
// both have one.
std::vector<std::string> environment_with(const Variables& variables);

// Becomes the program: searched in PATH, in the environment of this process. If it cannot
// be run, says so on standard error and ends with the status that a shell would have. For a
// child after fork(): allocates nothing.
[[noreturn]] void become(const std::vector<char*>& arguments,
                         const std::vector<char*>& environment);

}  // namespace mendel::cli
