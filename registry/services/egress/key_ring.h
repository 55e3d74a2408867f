#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace mendel::registry {

// Encrypts what must be secret even to who reads the database, by AES-256-GCM. The first
// key encrypts; the others only decrypt, until everything has been encrypted anew. What is
// sealed for one purpose opens for no other. A value; any thread.
class KeyRing {
 public:
  // No keys: seal() and open() throw unavailable.
  KeyRing() = default;

  // One key a line: 32 bytes in base64 (`openssl rand -base64 32`). Empty lines and those
  // that begin with '#' say nothing. Throws invalid_argument, quoting nothing.
  static KeyRing parse(std::string_view text);

  // A line with a new key.
  static std::string make_key();

  struct Sealed {
    std::string key_id;
    std::vector<std::byte> bytes;
  };
  Sealed seal(std::string_view purpose, std::string_view plain) const;

  // Throws unavailable where the key is not on the ring, data_loss where it was not sealed
  // for this purpose or has changed since.
  std::string open(std::string_view purpose, const Sealed& sealed) const;

  // Which key encrypts; empty: none.
  std::string newest() const { return keys_.empty() ? "" : keys_.front().id; }

 private:
  struct Key {
    std::string id;  // says which key it is and nothing of it
    std::array<unsigned char, 32> bytes{};

    Key() = default;
    Key(const Key&) = default;
    Key& operator=(const Key&) = default;
    ~Key();
  };
  std::vector<Key> keys_;
};

}  // namespace mendel::registry
