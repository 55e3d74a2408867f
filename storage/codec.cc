#include "storage/codec.h"

#include <zstd.h>

#include <algorithm>
#include <vector>

#include "storage/base/error.h"

namespace mendel::storage {

namespace {

constexpr int kZstdLevel = 3;

struct FreeDecompression {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

ZSTD_DCtx* decompression_of_this_thread() {
  thread_local const std::unique_ptr<ZSTD_DCtx, FreeDecompression> context(
      ZSTD_createDCtx());
  return context.get();
}

bool decompress_zstd(std::span<const std::byte> stored, std::span<std::byte> raw) {
  if (ZSTD_getFrameContentSize(stored.data(), stored.size()) != raw.size()) return false;
  if (ZSTD_findFrameCompressedSize(stored.data(), stored.size()) != stored.size())
    return false;
  return ZSTD_decompressDCtx(decompression_of_this_thread(), raw.data(), raw.size(),
                             stored.data(), stored.size()) == raw.size();
}

}  // namespace

struct Compressor::State {
  struct Free {
    void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  };
  std::unique_ptr<ZSTD_CCtx, Free> context{ZSTD_createCCtx()};
  std::vector<std::byte> stored;
};

Compressor::Compressor() : state_(std::make_unique<State>()) {}
Compressor::~Compressor() = default;
Compressor::Compressor(Compressor&&) noexcept = default;
Compressor& Compressor::operator=(Compressor&&) noexcept = default;

Compressor::Result Compressor::compress(std::span<const std::byte> raw) {
  const std::size_t worthwhile = raw.size() - raw.size() / 32;
  auto& stored = state_->stored;
  if (stored.size() < worthwhile) stored.resize(worthwhile);
  const std::size_t size = ZSTD_compressCCtx(
      state_->context.get(), stored.data(), worthwhile, raw.data(), raw.size(), kZstdLevel);
  if (ZSTD_isError(size) || size >= raw.size()) return {Codec::raw, raw};
  return {Codec::zstd, std::span(stored).first(size)};
}

bool try_decompress(Codec codec, std::span<const std::byte> stored,
                    std::span<std::byte> raw) {
  switch (codec) {
    case Codec::raw:
      if (stored.size() != raw.size()) return false;
      std::ranges::copy(stored, raw.begin());
      return true;
    case Codec::zstd:
      return decompress_zstd(stored, raw);
  }
  return false;
}

void decompress(Codec codec, std::span<const std::byte> stored, std::span<std::byte> raw) {
  if (!try_decompress(codec, stored, raw)) {
    throw Error(ErrorCode::data_loss, std::to_string(stored.size()) +
                                          " stored bytes do not decompress to " +
                                          std::to_string(raw.size()));
  }
}

}  // namespace mendel::storage
