#pragma once

#include <string>

namespace CLI {
class App;
}

namespace mendel::cli {

void declare_journal_option(CLI::App& app, std::string& journal);

// The journal that is meant: what --journal says, or else MENDEL_JOURNAL; empty: none.
std::string journal_directory(const std::string& option);

}  // namespace mendel::cli
