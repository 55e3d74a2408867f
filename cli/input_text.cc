#include "cli/input_text.h"

#include <fstream>
#include <iostream>
#include <iterator>

#include "storage/base/error.h"

namespace mendel::cli {

std::string read_input_text(const std::string& file) {
  std::string text;
  if (file == "-") {
    text.assign(std::istreambuf_iterator<char>(std::cin), {});
  } else {
    std::ifstream stream(file, std::ios::binary);
    if (!stream) throw Error(ErrorCode::not_found, file + ": cannot be opened");
    text.assign(std::istreambuf_iterator<char>(stream), {});
  }
  if (text.size() > kInputTextSizeMax) {
    throw Error(ErrorCode::invalid_argument, file + ": is larger than 16 MiB");
  }
  return text;
}

}  // namespace mendel::cli
