#pragma once

#include <string>
#include <vector>

#include "storage/base/fd.h"

namespace mendel {

// What whoever starts programs needs, beyond what there is to say of the program.

struct Pipe {
  Fd reader;
  Fd writer;
};

// Closed in programs that are started. Throws as throw_posix_error() does.
Pipe make_pipe();

// For the exec family: the texts' own bytes, and a null pointer. As long as texts lives.
std::vector<char*> pointers_to(const std::vector<std::string>& texts);

}  // namespace mendel
