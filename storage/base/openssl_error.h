#pragma once

#include <string_view>

namespace mendel {

// Throws Error{internal} with what this thread's OpenSSL error queue holds, and clears it.
[[noreturn]] void throw_openssl_error(std::string_view doing);

}  // namespace mendel
