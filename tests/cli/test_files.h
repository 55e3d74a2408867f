#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace mendel::cli {

// The small vocabulary of the tests of this folder.

inline void write_file(const std::filesystem::path& path, const std::string& content) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << content;
}

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace mendel::cli
