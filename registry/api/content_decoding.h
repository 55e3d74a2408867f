#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>

namespace mendel::registry::api {

// Content codings of request bodies: gzip and zstd.
inline constexpr std::string_view kContentCodings = "gzip, zstd";

// Decodes a body that comes in pieces, and hands on what it decodes to in pieces of its
// own, of at most 64 KiB. Several gzip members, or zstd frames, one after the other are one
// body. Throws invalid_argument for what is broken, and too_large for a frame that needs a
// window of more than 8 MiB and for more than kDecodedSizeMax bytes: a small body may
// decode to a very large one.
class ContentDecoder {
 public:
  using Take = std::function<void(std::span<const std::byte>)>;
  static constexpr std::uint64_t kDecodedSizeMax = 4ull << 30;

  virtual ~ContentDecoder() = default;
  virtual void decode(std::span<const std::byte> data) = 0;

  // Throws invalid_argument where the body ends in the middle of something.
  virtual void finish() = 0;
};

// As the header Content-Encoding names it. Null: there is no such coding here.
std::unique_ptr<ContentDecoder> make_decoder(std::string_view coding,
                                             ContentDecoder::Take take);

}  // namespace mendel::registry::api
