#pragma once

#include <cstddef>
#include <string>

namespace mendel::cli {

inline constexpr std::size_t kInputTextSizeMax = 16u << 20;

// What a file holds; "-" is standard input. Throws not_found, and invalid_argument for more
// than kInputTextSizeMax.
std::string read_input_text(const std::string& file);

}  // namespace mendel::cli
