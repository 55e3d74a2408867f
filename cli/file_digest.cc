#include "cli/file_digest.h"

#include <vector>

#include "cli/interrupt.h"
#include "storage/base/sha256.h"

namespace mendel::cli {

Digest digest_of(const Fd& file, const std::string& path) {
  static thread_local std::vector<std::byte> buffer(1u << 20);
  Sha256 sha256;
  for (std::uint64_t offset = 0;;) {
    throw_if_interrupted();
    const std::size_t count = read_at(file, path, offset, buffer);
    sha256.update(std::span(buffer).first(count));
    offset += count;
    if (count < buffer.size()) return sha256.finish();
  }
}

}  // namespace mendel::cli
