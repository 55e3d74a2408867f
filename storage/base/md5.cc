#include "storage/base/md5.h"

#include <openssl/evp.h>

#include <array>

#include "storage/base/openssl_error.h"

namespace mendel {

struct Md5::Context {
  EVP_MD_CTX* const handle = EVP_MD_CTX_new();
  ~Context() { EVP_MD_CTX_free(handle); }
};

Md5::Md5() : context_(std::make_unique<Context>()) {
  if (EVP_DigestInit_ex(context_->handle, EVP_md5(), nullptr) != 1) {
    throw_openssl_error("begin an MD5");
  }
}

Md5::~Md5() = default;
Md5::Md5(Md5&&) noexcept = default;

void Md5::update(std::span<const std::byte> data) {
  if (EVP_DigestUpdate(context_->handle, data.data(), data.size()) != 1) {
    throw_openssl_error("go on with an MD5");
  }
}

std::string Md5::finish() {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::array<unsigned char, 16> bytes;
  if (EVP_DigestFinal_ex(context_->handle, bytes.data(), nullptr) != 1) {
    throw_openssl_error("end an MD5");
  }
  std::string text;
  for (const unsigned char byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

}  // namespace mendel
