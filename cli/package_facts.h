#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "cli/api_client.h"

namespace mendel::cli {

// The Python that a training would run with, and what is installed in it.
struct PythonFacts {
  Json interpreter;          // {"implementation", "version", "executable"}; null: none
  std::string requirements;  // as `pip freeze` has it; empty: nothing is known
};

// Of the virtual environment that is active, of conda's, or of the python3 in PATH. Asks
// that Python, for a limited time; never throws for what is not there.
PythonFacts find_python_facts();

// What the question to a Python prints. Gives no facts for what makes no sense.
PythonFacts parse_python_answer(std::string_view text);

// The packages of a conda environment as `conda list --explicit --md5` has them, from what
// conda keeps in PREFIX/conda-meta; empty if there is none.
std::string find_conda_packages(const std::filesystem::path& prefix);

}  // namespace mendel::cli
