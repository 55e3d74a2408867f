#include "cli/local_chunks.h"

#include <vector>

#include "cli/interrupt.h"
#include "storage/chunker.h"

namespace mendel::cli {

namespace {

constexpr std::size_t kWindowSizeBytes = 4u << 20;

}  // namespace

LocalChunks::LocalChunks(const Fd& file, const std::string& path) {
  std::vector<std::byte> window(kWindowSizeBytes);
  for (std::uint64_t offset = 0; chunks_.size() < kChunksMax;) {
    throw_if_interrupted();
    const std::size_t count = read_at(file, path, offset, window);
    const bool at_end = count < window.size();
    auto rest = std::span<const std::byte>(window).first(count);
    while (rest.size() >= (at_end ? 1 : storage::kChunkSizeMax)) {
      const auto chunk = rest.first(storage::first_chunk_size(rest));
      chunks_.try_emplace(Digest::of(chunk),
                          LocalChunk{offset, static_cast<std::uint32_t>(chunk.size())});
      offset += chunk.size();
      rest = rest.subspan(chunk.size());
    }
    if (at_end) return;
  }
}

std::optional<LocalChunk> LocalChunks::find(const Digest& chunk) const {
  const auto found = chunks_.find(chunk);
  if (found == chunks_.end()) return std::nullopt;
  return found->second;
}

}  // namespace mendel::cli
