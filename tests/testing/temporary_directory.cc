#include "tests/testing/temporary_directory.h"

#include <stdlib.h>

#include <cerrno>

#include "storage/base/posix_error.h"

namespace mendel::testing {

TemporaryDirectory::TemporaryDirectory() {
  std::string path =
      (std::filesystem::temp_directory_path() / "mendel-test-XXXXXX").string();
  if (::mkdtemp(path.data()) == nullptr) throw_posix_error("make", path, errno);
  path_ = path;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace mendel::testing
