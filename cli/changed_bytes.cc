#include "cli/changed_bytes.h"

#include "cli/api_path.h"
#include "cli/chunk_map.h"
#include "cli/recipe_stream.h"

namespace mendel::cli {

std::uint64_t changed_bytes(ApiClient& server, const std::string& older_version_path,
                            const storage::ManifestFile& older,
                            const std::string& newer_version_path,
                            const storage::ManifestFile& newer) {
  if (!older.digest || !newer.digest) return newer.size_bytes;
  if (older.digest == newer.digest) return 0;
  ChunkMap known;
  visit_recipe(server, file_path(older_version_path, "recipe", older),
               [&](const storage::Recipe& leaf) {
                 for (const auto& entry : leaf.entries) known.add(entry.digest, Digest());
               });
  std::uint64_t changed = 0;
  const bool is_cut = visit_recipe(server, file_path(newer_version_path, "recipe", newer),
                                   [&](const storage::Recipe& leaf) {
                                     for (const auto& entry : leaf.entries) {
                                       if (!known.find(entry.digest))
                                         changed += entry.size_bytes;
                                     }
                                   });
  return is_cut ? changed : newer.size_bytes;  // of one chunk, or not stored here
}

}  // namespace mendel::cli
