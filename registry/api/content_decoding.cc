#include "registry/api/content_decoding.h"

#include <fmt/format.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <string>
#include <utility>

#include "storage/base/error.h"

namespace mendel::registry::api {

namespace {

constexpr std::size_t kPieceSize = 64 << 10;
constexpr int kZstdWindowLogMax = 23;            // 8 MiB
constexpr int kGzipOnly = 16 + MAX_WBITS;        // neither zlib's own frame nor none
constexpr std::size_t kInputSizeMax = 1u << 30;  // what zlib's counters hold

[[noreturn]] void refuse_broken(std::string_view coding, std::string_view why) {
  throw Error(ErrorCode::invalid_argument,
              fmt::format("the body is broken {}: {}", coding, why));
}

// Where decoded bytes go, and how many may.
class Output {
 public:
  explicit Output(ContentDecoder::Take take) : take_(std::move(take)) {}

  std::span<std::byte> buffer() { return buffer_; }
  void hand_on(std::size_t size) {
    if (size == 0) return;
    size_ += size;
    if (size_ > ContentDecoder::kDecodedSizeMax) {
      throw Error(ErrorCode::too_large,
                  fmt::format("the body decodes to more than {} bytes: send it in parts",
                              ContentDecoder::kDecodedSizeMax));
    }
    take_(std::span<const std::byte>(buffer_).first(size));
  }

 private:
  const ContentDecoder::Take take_;
  std::uint64_t size_ = 0;
  std::array<std::byte, kPieceSize> buffer_;
};

class GzipDecoder : public ContentDecoder {
 public:
  explicit GzipDecoder(Take take) : output_(std::move(take)) {
    if (inflateInit2(&stream_, kGzipOnly) != Z_OK) {
      throw Error(ErrorCode::resource_exhausted, "zlib has no memory");
    }
  }
  ~GzipDecoder() override { inflateEnd(&stream_); }
  GzipDecoder(const GzipDecoder&) = delete;
  GzipDecoder& operator=(const GzipDecoder&) = delete;

  void decode(std::span<const std::byte> data) override {
    while (!data.empty()) {
      const auto part = data.first(std::min(data.size(), kInputSizeMax));
      data = data.subspan(part.size());
      // zlib does not write to its input, and is older than const.
      stream_.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(part.data()));
      stream_.avail_in = static_cast<uInt>(part.size());
      decode_part();
    }
  }

  void finish() override {
    if (!is_between_members_ || !has_begun_) refuse_broken("gzip", "it ends too early");
  }

 private:
  void decode_part() {
    bool has_more = stream_.avail_in > 0;
    while (has_more) {
      if (is_between_members_ && stream_.avail_in > 0) begin_member();
      const auto buffer = output_.buffer();
      stream_.next_out = reinterpret_cast<Bytef*>(buffer.data());
      stream_.avail_out = static_cast<uInt>(buffer.size());
      const int status = inflate(&stream_, Z_NO_FLUSH);
      if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR) {
        refuse_broken("gzip", stream_.msg != nullptr ? stream_.msg : "it cannot be read");
      }
      is_between_members_ = status == Z_STREAM_END;
      output_.hand_on(buffer.size() - stream_.avail_out);
      has_more = stream_.avail_in > 0 || (stream_.avail_out == 0 && !is_between_members_);
    }
  }

  void begin_member() {
    if (has_begun_) inflateReset(&stream_);
    has_begun_ = true;
    is_between_members_ = false;
  }

  z_stream stream_{};
  bool has_begun_ = false;
  bool is_between_members_ = true;
  Output output_;
};

struct FreeZstd {
  void operator()(ZSTD_DStream* stream) const { ZSTD_freeDStream(stream); }
};

class ZstdDecoder : public ContentDecoder {
 public:
  explicit ZstdDecoder(Take take)
      : stream_(ZSTD_createDStream()), output_(std::move(take)) {
    if (!stream_) throw Error(ErrorCode::resource_exhausted, "zstd has no memory");
    ZSTD_DCtx_setParameter(stream_.get(), ZSTD_d_windowLogMax, kZstdWindowLogMax);
  }

  void decode(std::span<const std::byte> data) override {
    ZSTD_inBuffer in{data.data(), data.size(), 0};
    bool has_more = in.size > 0;
    while (has_more) {
      const auto buffer = output_.buffer();
      ZSTD_outBuffer out{buffer.data(), buffer.size(), 0};
      const std::size_t status = ZSTD_decompressStream(stream_.get(), &out, &in);
      if (ZSTD_isError(status)) refuse(status);
      is_between_frames_ = status == 0;
      has_begun_ = true;
      output_.hand_on(out.pos);
      has_more = in.pos < in.size || (out.pos == out.size && !is_between_frames_);
    }
  }

  void finish() override {
    if (!is_between_frames_ || !has_begun_) refuse_broken("zstd", "it ends too early");
  }

 private:
  [[noreturn]] static void refuse(std::size_t status) {
    if (ZSTD_getErrorCode(status) == ZSTD_error_frameParameter_windowTooLarge) {
      throw Error(ErrorCode::too_large,
                  "the body is zstd with a window of more than 8 MiB: compress it with "
                  "less (zstd -19 and below does)");
    }
    refuse_broken("zstd", ZSTD_getErrorName(status));
  }

  std::unique_ptr<ZSTD_DStream, FreeZstd> stream_;
  bool has_begun_ = false;
  bool is_between_frames_ = true;
  Output output_;
};

std::string lower(std::string_view text) {
  std::string folded(text);
  std::ranges::transform(folded, folded.begin(), [](unsigned char c) {
    return static_cast<char>(std::tolower(c));
  });
  return folded;
}

}  // namespace

std::unique_ptr<ContentDecoder> make_decoder(std::string_view coding,
                                             ContentDecoder::Take take) {
  const std::string name = lower(coding);
  if (name == "gzip" || name == "x-gzip") {
    return std::make_unique<GzipDecoder>(std::move(take));
  }
  if (name == "zstd") return std::make_unique<ZstdDecoder>(std::move(take));
  return nullptr;
}

}  // namespace mendel::registry::api
