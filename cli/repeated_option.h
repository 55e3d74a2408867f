#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace mendel::cli {

// An option that may be given several times, with one value each: what stands after that is
// not its own.
inline CLI::Option* add_repeated(CLI::App& app, const std::string& names,
                                 std::vector<std::string>& values,
                                 const std::string& help) {
  return app.add_option(names, values, help)
      ->expected(1)
      ->allow_extra_args(false)
      ->take_all();
}

}  // namespace mendel::cli
