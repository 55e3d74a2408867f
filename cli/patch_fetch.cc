#include "cli/patch_fetch.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "cli/api_path.h"
#include "cli/local_chunks.h"
#include "cli/range_fetch.h"
#include "cli/recipe_stream.h"

namespace mendel::cli {

namespace {

constexpr std::size_t kCopySizeBytes = 1u << 20;

// A part of the new file: the same bytes as in the older one, or bytes to fetch.
struct Piece {
  std::optional<std::uint64_t> older_offset;
  ByteRange range;  // of the new file
};

bool continues(const Piece& piece, const std::optional<LocalChunk>& chunk) {
  if (piece.older_offset.has_value() != chunk.has_value()) return false;
  return !chunk || *piece.older_offset + piece.range.size_bytes == chunk->offset;
}

// Pieces follow each other without gaps. nullopt if there is no recipe.
std::optional<std::vector<Piece>> find_pieces(ApiClient& server,
                                              const std::string& recipe_path,
                                              const LocalChunks& older) {
  std::vector<Piece> pieces;
  std::uint64_t offset = 0;
  const bool found = visit_recipe(server, recipe_path, [&](const storage::Recipe& leaf) {
    for (const auto& entry : leaf.entries) {
      const auto local = older.find(entry.digest);
      if (!pieces.empty() && continues(pieces.back(), local)) {
        pieces.back().range.size_bytes += entry.size_bytes;
      } else {
        pieces.push_back({local ? std::optional(local->offset) : std::nullopt,
                          {offset, entry.size_bytes}});
      }
      offset += entry.size_bytes;
    }
  });
  if (!found) return std::nullopt;
  return pieces;
}

void copy(const Fd& older, ByteRange range, const std::string& path, Sink& sink) {
  std::vector<std::byte> buffer(std::min<std::uint64_t>(kCopySizeBytes, range.size_bytes));
  while (range.size_bytes > 0) {
    const auto wanted = std::min<std::uint64_t>(buffer.size(), range.size_bytes);
    const std::size_t count =
        read_at(older, path, range.offset, std::span(buffer).first(wanted));
    if (count < wanted)
      throw Error(ErrorCode::aborted, path + " changes while it is pulled");
    sink.write(std::span(buffer).first(count));
    range = {range.offset + count, range.size_bytes - count};
  }
}

}  // namespace

std::optional<std::uint64_t> fetch_patch(ApiClient& server, const std::string& version_path,
                                         const storage::ManifestFile& wanted,
                                         const Fd& older, VerifiedFile& file) {
  const LocalChunks chunks(older, wanted.path);
  const auto pieces =
      find_pieces(server, file_path(version_path, "recipe", wanted), chunks);
  if (!pieces) return std::nullopt;
  std::uint64_t copied_bytes = 0;
  for (const Piece& piece : *pieces) {
    if (piece.older_offset) {
      copy(older, {*piece.older_offset, piece.range.size_bytes}, wanted.path, file);
      copied_bytes += piece.range.size_bytes;
    } else {
      fetch_range(server, file_path(version_path, "files", wanted), piece.range, file);
    }
  }
  return copied_bytes;
}

}  // namespace mendel::cli
