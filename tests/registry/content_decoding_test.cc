#include "registry/api/content_decoding.h"

#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "storage/base/digest.h"
#include "storage/base/error.h"

namespace mendel::registry::api {
namespace {

std::string gzip(const std::string& text) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, 16 + MAX_WBITS, 8,
                         Z_DEFAULT_STRATEGY),
            Z_OK);
  std::string out(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string zstd(const std::string& text, int window_log = 0) {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, window_log);
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
  std::string out(ZSTD_compressBound(text.size()), '\0');
  // In pieces, so that the frame does not say how much it holds.
  ZSTD_inBuffer in{text.data(), text.size(), 0};
  ZSTD_outBuffer to{out.data(), out.size(), 0};
  ZSTD_compressStream2(context, &to, &in, ZSTD_e_flush);
  EXPECT_EQ(ZSTD_compressStream2(context, &to, &in, ZSTD_e_end), 0u);
  ZSTD_freeCCtx(context);
  out.resize(to.pos);
  return out;
}

struct Coding {
  const char* name;
  std::string (*encode)(const std::string&);
};

class ContentDecoding : public ::testing::TestWithParam<Coding> {
 protected:
  std::string encode(const std::string& text) { return GetParam().encode(text); }

  std::string decode(const std::string& body, std::size_t piece = 1000) {
    std::string decoded;
    const auto decoder =
        make_decoder(GetParam().name, [&](std::span<const std::byte> data) {
          EXPECT_LE(data.size(), 64u << 10);
          decoded += as_text(data);
        });
    const auto bytes = as_bytes(body);
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      decoder->decode(bytes.subspan(at, std::min(piece, bytes.size() - at)));
    }
    decoder->finish();
    return decoded;
  }

  static std::string text() {
    std::string text;
    for (int i = 0; i < 50'000; ++i)
      text += "row " + std::to_string(i * 7919 % 50'000) + "\n";
    return text;
  }
};

TEST_P(ContentDecoding, GivesWhatWasEncodedWhateverThePieces) {
  const std::string body = encode(text());
  for (const std::size_t piece : {1, 13, 4096, 1 << 20}) {
    EXPECT_EQ(decode(body, piece), text()) << piece;
  }
  EXPECT_EQ(decode(encode("")), "");
}

TEST_P(ContentDecoding, TakesSeveralOneAfterTheOther) {
  const std::string body = encode("one\n") + encode("") + encode("two\n");
  for (const std::size_t piece : {1, 1000}) EXPECT_EQ(decode(body, piece), "one\ntwo\n");
}

TEST_P(ContentDecoding, RefusesABodyThatEndsTooEarly) {
  const std::string body = encode(text());
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, body.size() / 2, body.size() - 1}) {
    try {
      decode(body.substr(0, size));
      ADD_FAILURE() << size;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
    }
  }
}

TEST_P(ContentDecoding, RefusesWhatIsBroken) {
  std::string damaged = encode(text());
  damaged[damaged.size() / 2] ^= 0x55;
  EXPECT_THROW(decode(damaged), Error);
  EXPECT_THROW(decode("{\"kpi\": 1}"), Error);
  EXPECT_THROW(decode(encode("one\n") + "rubbish"), Error);
}

INSTANTIATE_TEST_SUITE_P(
    Each, ContentDecoding,
    ::testing::Values(Coding{"gzip", gzip},
                      Coding{"zstd", [](const std::string& text) { return zstd(text); }}),
    [](const auto& info) { return info.param.name; });

TEST(ContentCodings, AreNamedIgnoringCase) {
  const auto ignore = [](std::span<const std::byte>) {};
  for (const char* name : {"gzip", "GZIP", "x-gzip", "zstd", "Zstd"}) {
    EXPECT_NE(make_decoder(name, ignore), nullptr) << name;
  }
  for (const char* name : {"", "br", "deflate", "gzip, zstd", "identity"}) {
    EXPECT_EQ(make_decoder(name, ignore), nullptr) << name;
  }
}

TEST(ZstdDecoding, RefusesAWindowOfMoreThan8MiB) {
  const std::string text(20 << 20, 'x');
  std::size_t size = 0;
  const auto count = [&](std::span<const std::byte> data) { size += data.size(); };
  const auto decode = [&](const std::string& body) {
    const auto decoder = make_decoder("zstd", count);
    decoder->decode(as_bytes(body));
    decoder->finish();
  };
  decode(zstd(text, 23));
  EXPECT_EQ(size, text.size());
  try {
    decode(zstd(text, 24));
    ADD_FAILURE() << "it was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::too_large);
  }
}

// 4 GiB of blanks in a few kilobytes of frames: decoding ends at the limit.
TEST(ZstdDecoding, EndsABombAtTheLimit) {
  const std::string frame = zstd(std::string(64 << 20, ' '), 20);
  std::uint64_t size = 0;
  const auto decoder =
      make_decoder("zstd", [&](std::span<const std::byte> data) { size += data.size(); });
  try {
    for (int i = 0; i < 65; ++i) decoder->decode(as_bytes(frame));
    ADD_FAILURE() << "it was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::too_large);
  }
  EXPECT_EQ(size, ContentDecoder::kDecodedSizeMax);
}

}  // namespace
}  // namespace mendel::registry::api
