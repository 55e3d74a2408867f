#include "cli/journal_option.h"

#include <CLI/CLI.hpp>
#include <cstdlib>

namespace mendel::cli {

void declare_journal_option(CLI::App& app, std::string& journal) {
  app.add_option("--journal", journal,
                 "record in this directory, without a network, for 'mendel send'")
      ->type_name("DIR");
}

std::string journal_directory(const std::string& option) {
  if (!option.empty()) return option;
  const char* value = std::getenv("MENDEL_JOURNAL");
  return value ? value : "";
}

}  // namespace mendel::cli
