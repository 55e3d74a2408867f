#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

namespace mendel::storage {

// How a record's bytes are stored. The numbers are part of the pack format.
enum class Codec : std::uint8_t { raw = 0, zstd = 1 };

// Compresses where that pays. Whether it may pay is found out cheaply, so that weights and
// other noise cost next to nothing. Keeps its working memory between calls: one per thread.
class Compressor {
 public:
  Compressor();
  ~Compressor();
  Compressor(Compressor&&) noexcept;
  Compressor& operator=(Compressor&&) noexcept;

  struct Result {
    Codec codec;
    // Valid until the next call; the input itself where codec is raw.
    std::span<const std::byte> stored;
  };
  Result compress(std::span<const std::byte> raw);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// What the stored bytes say of their raw size, to be compared with the record's header
// before anything is allocated; nullopt if they are not one frame of the codec. Any thread.
std::optional<std::size_t> stated_raw_size(Codec codec, std::span<const std::byte> stored);

// Fills raw, whose size is exactly the record's raw size. Returns whether stored is what
// the codec makes of that many bytes; if not, raw holds anything. Any thread.
[[nodiscard]] bool try_decompress(Codec codec, std::span<const std::byte> stored,
                                  std::span<std::byte> raw);

// The same, but throws data_loss.
void decompress(Codec codec, std::span<const std::byte> stored, std::span<std::byte> raw);

}  // namespace mendel::storage
