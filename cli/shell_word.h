#pragma once

#include <string>

namespace mendel::cli {

// The text as one word for a POSIX shell: as it is, or in single quotes where it has to be.
std::string shell_word(const std::string& text);

}  // namespace mendel::cli
