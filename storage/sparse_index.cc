#include "storage/sparse_index.h"

#include <algorithm>
#include <utility>

namespace mendel::storage {

std::int64_t hook_value(const Digest& chunk) {
  std::uint64_t value = 0;
  for (const std::byte b : chunk.bytes().first<8>()) {
    value = value << 8 | std::to_integer<std::uint64_t>(b);
  }
  return static_cast<std::int64_t>(value);
}

std::optional<std::int64_t> hook_of(const Digest& chunk) {
  const auto last = std::to_integer<unsigned>(chunk.bytes().back());
  if (last % kHookSpacing != 0) return std::nullopt;
  return hook_value(chunk);
}

std::vector<std::int64_t> hooks_of(const PackIndex& pack) {
  std::vector<std::int64_t> all;
  std::vector<std::int64_t> hooks;
  for (const RecordLocation& record : pack.records()) {
    const RecordType type = record.header.type;
    if (type != RecordType::chunk && type != RecordType::blob) continue;
    if (all.size() <= kFewChunks) all.push_back(hook_value(record.header.digest));
    if (const auto hook = hook_of(record.header.digest)) hooks.push_back(*hook);
  }
  if (all.size() <= kFewChunks) hooks = std::move(all);
  std::sort(hooks.begin(), hooks.end());
  hooks.erase(std::unique(hooks.begin(), hooks.end()), hooks.end());
  return hooks;
}

}  // namespace mendel::storage
