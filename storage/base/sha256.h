#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "storage/base/digest.h"

namespace mendel {

// A running SHA-256. A copy goes on by itself from where the original was. finish() leaves
// it ready for the next message. Not for several threads at once.
class Sha256 {
 public:
  Sha256();
  void update(std::span<const std::byte> data);
  Digest finish();

  // The same bytes for two messages, which may have begun at different places: a chunk and
  // the blob it belongs to. Where the processor has instructions for SHA-256 this takes
  // about as long as one of them (sha256_pair.h).
  static void update_both(Sha256& first, Sha256& second, std::span<const std::byte> data);

 private:
  struct Context;  // OpenSSL's, which no header of ours includes
  static constexpr std::size_t kContextSizeBytes = 112;

  Context& context();

  alignas(8) std::array<std::byte, kContextSizeBytes> storage_;
};

}  // namespace mendel
