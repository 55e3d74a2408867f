#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace mendel {

// A running MD5 (RFC 1321): finds rotten bits, not liars. Others have published checksums
// of this kind for their files; nothing of ours relies on one.
class Md5 {
 public:
  Md5();
  ~Md5();
  Md5(Md5&&) noexcept;

  void update(std::span<const std::byte> data);
  std::string finish();  // 32 lower-case hexadecimal digits; no more updates after it

 private:
  struct Context;  // OpenSSL's
  std::unique_ptr<Context> context_;
};

}  // namespace mendel
