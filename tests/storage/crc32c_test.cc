#include "storage/base/crc32c.h"

#include <gtest/gtest.h>

#include "storage/base/digest.h"
#include "tests/testing/random_bytes.h"

namespace mendel {
namespace {

std::vector<std::byte> bytes_from(std::size_t size, int first, int step) {
  std::vector<std::byte> bytes(size);
  for (std::size_t i = 0; i < size; ++i) {
    bytes[i] = static_cast<std::byte>(first + static_cast<int>(i) * step);
  }
  return bytes;
}

TEST(Crc32c, GivesTheExamplesOfRfc3720) {
  for (const auto function : {crc32c, crc32c_portable}) {
    EXPECT_EQ(function(bytes_from(32, 0, 0)), 0x8a9136aau);
    EXPECT_EQ(function(bytes_from(32, 0xff, 0)), 0x62a8ab43u);
    EXPECT_EQ(function(bytes_from(32, 0, 1)), 0x46dd794eu);
    EXPECT_EQ(function(bytes_from(32, 31, -1)), 0x113fdb5cu);
    EXPECT_EQ(function(as_bytes("123456789")), 0xe3069283u);
    EXPECT_EQ(function({}), 0u);
  }
}

TEST(Crc32c, IsTheSameWithAndWithoutTheInstruction) {
  const auto noise = testing::random_bytes(50'000, 1);
  for (std::size_t size = 0; size < noise.size(); size = size * 5 / 4 + 1) {
    for (const std::size_t start : {0, 1, 3}) {
      const auto data = std::span(noise).subspan(start, size - std::min(size, start));
      EXPECT_EQ(crc32c(data), crc32c_portable(data)) << size;
    }
  }
}

TEST(Crc32c, GoesOnWhereItStopped) {
  const auto noise = testing::random_bytes(20'000, 2);
  for (const std::size_t cut : {0, 1, 7, 6'145, 20'000}) {
    const auto data = std::span(noise);
    EXPECT_EQ(crc32c_after(crc32c(data.first(cut)), data.subspan(cut)), crc32c(data));
  }
}

}  // namespace
}  // namespace mendel
