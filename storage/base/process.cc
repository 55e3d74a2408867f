#include "storage/base/process.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "storage/base/posix_error.h"

namespace mendel {

Pipe make_pipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) throw_posix_error("make", "a pipe", errno);
  return {Fd(ends[0]), Fd(ends[1])};
}

std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (const auto& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace mendel
