#include "cli/checksum.h"

#include <fmt/format.h>

#include <vector>

#include "cli/file_digest.h"
#include "cli/interrupt.h"
#include "storage/base/crc32c.h"
#include "storage/base/error.h"
#include "storage/base/md5.h"

namespace mendel::cli {

namespace {

class Adler32 {
 public:
  void update(std::span<const std::byte> data) {
    constexpr std::size_t kBytesBeforeOverflow = 5552;
    while (!data.empty()) {
      const auto part = data.first(std::min(data.size(), kBytesBeforeOverflow));
      for (const std::byte byte : part) {
        low_ += std::to_integer<std::uint32_t>(byte);
        high_ += low_;
      }
      low_ %= kPrime;
      high_ %= kPrime;
      data = data.subspan(part.size());
    }
  }
  std::string finish() const { return fmt::format("{:08x}", high_ << 16 | low_); }

 private:
  static constexpr std::uint32_t kPrime = 65521;
  std::uint32_t low_ = 1;
  std::uint32_t high_ = 0;
};

class Crc32c {
 public:
  void update(std::span<const std::byte> data) { crc_ = crc32c_after(crc_, data); }
  std::string finish() const { return fmt::format("{:08x}", crc_); }

 private:
  std::uint32_t crc_ = 0;
};

template <typename Checksum>
std::string read_through(Checksum checksum, const Fd& file, const std::string& path) {
  std::vector<std::byte> buffer(1u << 20);
  for (std::uint64_t offset = 0;;) {
    throw_if_interrupted();
    const std::size_t count = read_at(file, path, offset, buffer);
    checksum.update(std::span(buffer).first(count));
    offset += count;
    if (count < buffer.size()) return checksum.finish();
  }
}

}  // namespace

std::string checksum_like(std::string_view like, const Fd& file, const std::string& path) {
  if (like.starts_with("adler32:")) return "adler32:" + read_through(Adler32(), file, path);
  if (like.starts_with("crc32c:")) return "crc32c:" + read_through(Crc32c(), file, path);
  if (like.starts_with("md5:")) return "md5:" + read_through(Md5(), file, path);
  if (like.starts_with("sha256:")) return digest_of(file, path).to_string();
  throw Error(ErrorCode::invalid_argument,
              "the kind of the checksum " + std::string(like) + " is not known");
}

}  // namespace mendel::cli
