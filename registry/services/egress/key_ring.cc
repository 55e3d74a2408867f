#include "registry/services/egress/key_ring.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <memory>

#include "registry/services/egress/base64.h"
#include "storage/base/digest.h"
#include "storage/base/error.h"
#include "storage/base/openssl_error.h"

namespace mendel::registry {

namespace {

constexpr std::size_t kNonceSize = 12;
constexpr std::size_t kTagSize = 16;
constexpr std::size_t kKeySize = 32;
constexpr std::size_t kKeyIdSize = 16;
constexpr std::string_view kKeyIdPurpose = "mendel secret key\n";

struct FreeCipher {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Cipher = std::unique_ptr<EVP_CIPHER_CTX, FreeCipher>;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

void require(int succeeded, std::string_view doing) {
  if (succeeded != 1) throw_openssl_error(doing);
}

Error damaged() {
  return {ErrorCode::data_loss,
          "a stored secret has changed, or is not the one that belongs here"};
}

}  // namespace

KeyRing::Key::~Key() { OPENSSL_cleanse(bytes.data(), bytes.size()); }

KeyRing KeyRing::parse(std::string_view text) {
  KeyRing ring;
  std::size_t number = 0;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    while (line.ends_with('\r') || line.ends_with(' ')) line.remove_suffix(1);
    if (line.empty() || line.starts_with('#')) continue;
    const auto decoded = decode_base64(line);
    if (!decoded || decoded->size() != kKeySize) {
      throw Error(ErrorCode::invalid_argument,
                  "line " + std::to_string(number) +
                      " of the secret keys is not 32 bytes in base64");
    }
    Key key;
    std::ranges::copy(*decoded, key.bytes.begin());
    key.id = Digest::of(std::string(kKeyIdPurpose) + *decoded).hex().substr(0, kKeyIdSize);
    ring.keys_.push_back(key);
  }
  if (ring.keys_.empty())
    throw Error(ErrorCode::invalid_argument, "there is no secret key");
  return ring;
}

std::string KeyRing::make_key() {
  std::string bytes(kKeySize, '\0');
  require(RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), kKeySize),
          "make a secret key");
  return encode_base64(bytes);
}

KeyRing::Sealed KeyRing::seal(std::string_view purpose, std::string_view plain) const {
  if (keys_.empty()) throw Error(ErrorCode::unavailable, "this server has no secret key");
  const Key& key = keys_.front();
  std::vector<std::byte> sealed(kNonceSize + plain.size() + kTagSize);
  auto* nonce = reinterpret_cast<unsigned char*>(sealed.data());
  auto* text = nonce + kNonceSize;
  require(RAND_bytes(nonce, kNonceSize), "make a nonce");

  const Cipher cipher(EVP_CIPHER_CTX_new());
  constexpr std::string_view kDoing = "encrypt a secret";
  int size = 0;
  require(
      EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, key.bytes.data(), nonce),
      kDoing);
  require(EVP_EncryptUpdate(cipher.get(), nullptr, &size, bytes_of(purpose),
                            static_cast<int>(purpose.size())),
          kDoing);
  require(EVP_EncryptUpdate(cipher.get(), text, &size, bytes_of(plain),
                            static_cast<int>(plain.size())),
          kDoing);
  require(EVP_EncryptFinal_ex(cipher.get(), text + plain.size(), &size), kDoing);
  require(EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, kTagSize,
                              text + plain.size()),
          kDoing);
  return {key.id, std::move(sealed)};
}

std::string KeyRing::open(std::string_view purpose, const Sealed& sealed) const {
  const auto key = std::ranges::find(keys_, sealed.key_id, &Key::id);
  if (key == keys_.end()) {
    throw Error(ErrorCode::unavailable, "a secret was encrypted with the key " +
                                            sealed.key_id +
                                            ", which this server does not have");
  }
  if (sealed.bytes.size() < kNonceSize + kTagSize) throw damaged();
  const auto* nonce = reinterpret_cast<const unsigned char*>(sealed.bytes.data());
  const auto* text = nonce + kNonceSize;
  const std::size_t text_size = sealed.bytes.size() - kNonceSize - kTagSize;
  std::array<unsigned char, kTagSize> tag{};
  std::copy_n(text + text_size, kTagSize, tag.begin());

  const Cipher cipher(EVP_CIPHER_CTX_new());
  constexpr std::string_view kDoing = "decrypt a secret";
  std::string plain(text_size, '\0');
  auto* out = reinterpret_cast<unsigned char*>(plain.data());
  int size = 0;
  require(EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, key->bytes.data(),
                             nonce),
          kDoing);
  require(EVP_DecryptUpdate(cipher.get(), nullptr, &size, bytes_of(purpose),
                            static_cast<int>(purpose.size())),
          kDoing);
  require(EVP_DecryptUpdate(cipher.get(), out, &size, text, static_cast<int>(text_size)),
          kDoing);
  require(EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, kTagSize, tag.data()),
          kDoing);
  if (EVP_DecryptFinal_ex(cipher.get(), out + text_size, &size) != 1) throw damaged();
  return plain;
}

}  // namespace mendel::registry
