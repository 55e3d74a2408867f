#pragma once

#include <string>
#include <string_view>

namespace CLI {
class App;
}

namespace mendel::cli {

// A script that completes commands, subcommands, options and their fixed values, made from
// the commands as they are declared. shell is bash, zsh or fish.
std::string completion_script(std::string_view shell, const CLI::App& root);

}  // namespace mendel::cli
