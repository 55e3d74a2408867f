#include "storage/sparse_index.h"

#include <algorithm>

namespace mendel::storage {

std::optional<std::int64_t> hook_of(const Digest& chunk) {
  const auto bytes = chunk.bytes();
  if (std::to_integer<unsigned>(bytes.back()) % kHookSpacing != 0) return std::nullopt;
  std::uint64_t value = 0;
  for (const std::byte b : bytes.first<8>()) {
    value = value << 8 | std::to_integer<std::uint64_t>(b);
  }
  return static_cast<std::int64_t>(value);
}

std::vector<std::int64_t> hooks_of(const PackIndex& pack) {
  std::vector<std::int64_t> hooks;
  for (const RecordLocation& record : pack.records()) {
    const RecordType type = record.header.type;
    if (type != RecordType::chunk && type != RecordType::blob) continue;
    if (const auto hook = hook_of(record.header.digest)) hooks.push_back(*hook);
  }
  std::sort(hooks.begin(), hooks.end());
  hooks.erase(std::unique(hooks.begin(), hooks.end()), hooks.end());
  return hooks;
}

}  // namespace mendel::storage
