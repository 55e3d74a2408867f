#include "cli/partial_file.h"

#include <fcntl.h>
#include <unistd.h>

namespace mendel::cli {

PartialFile PartialFile::create(std::filesystem::path path, ::mode_t mode) {
  Fd file = open_file(path.native(), O_RDWR | O_CREAT | O_EXCL, mode);
  return {std::move(path), std::move(file)};
}

PartialFile& PartialFile::operator=(PartialFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(file_, other.file_);
  return *this;
}

PartialFile::~PartialFile() {
  if (file_) ::unlink(path_.c_str());
}

}  // namespace mendel::cli
