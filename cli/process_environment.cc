#include "cli/process_environment.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>

namespace mendel::cli {

namespace {

constexpr int kNotExecutable = 126;
constexpr int kNotFound = 127;

}  // namespace

std::vector<std::string> environment_with(const Variables& variables) {
  std::vector<std::string> environment;
  for (const auto& [name, value] : variables) environment.push_back(name + "=" + value);
  for (char** entry = environ; *entry; ++entry) {
    const std::string_view text = *entry;
    const auto name = text.substr(0, text.find('='));
    const bool replaced = std::ranges::any_of(
        variables, [&](const auto& variable) { return variable.first == name; });
    if (!replaced) environment.emplace_back(text);
  }
  return environment;
}

void become(const std::vector<char*>& arguments, const std::vector<char*>& environment) {
  ::execvpe(arguments.front(), arguments.data(), environment.data());
  const int status = errno == ENOENT || errno == ENOTDIR ? kNotFound : kNotExecutable;
  const char* reason = status == kNotFound ? ": no such command\n" : ": cannot be run\n";
  for (const std::string_view text :
       {std::string_view("mendel: "), std::string_view(arguments.front()),
        std::string_view(reason)}) {
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text.data(), text.size());
  }
  ::_exit(status);
}

}  // namespace mendel::cli
