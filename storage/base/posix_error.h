#pragma once

#include <string_view>

namespace mendel {

// Throws the Error that an errno value means: ENOENT is not_found, ENOSPC and EDQUOT are
// out_of_space, EIO, EMFILE and ENFILE are unavailable, the rest internal.
[[noreturn]] void throw_posix_error(std::string_view doing, std::string_view path,
                                    int error_number);

}  // namespace mendel
