#include "storage/base/openssl_error.h"

#include <openssl/err.h>

#include <array>
#include <string>

#include "storage/base/error.h"

namespace mendel {

void throw_openssl_error(std::string_view doing) {
  std::string message(doing);
  while (const unsigned long code = ERR_get_error()) {
    std::array<char, 256> text{};
    ERR_error_string_n(code, text.data(), text.size());
    message += ": ";
    message += text.data();
  }
  throw Error(ErrorCode::internal, message);
}

}  // namespace mendel
