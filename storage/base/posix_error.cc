#include "storage/base/posix_error.h"

#include <cerrno>
#include <string>
#include <system_error>

#include "storage/base/error.h"

namespace mendel {

namespace {

ErrorCode code_of(int error_number) {
  switch (error_number) {
    case ENOENT: return ErrorCode::not_found;
    case ENOSPC:
    case EDQUOT: return ErrorCode::out_of_space;
    case EIO:
    case EMFILE:
    case ENFILE: return ErrorCode::unavailable;
    default: return ErrorCode::internal;
  }
}

}  // namespace

void throw_posix_error(std::string_view doing, std::string_view path, int error_number) {
  throw Error(code_of(error_number), std::string(doing) + " " + std::string(path) + ": " +
                                         std::generic_category().message(error_number));
}

}  // namespace mendel
