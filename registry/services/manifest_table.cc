#include "registry/services/manifest_table.h"

#include <algorithm>
#include <span>
#include <utility>

namespace mendel::registry {

namespace {

using storage::ManifestFile;

// The entries of one path lie together, since a manifest is sorted by path, then platform.
std::span<const ManifestFile> entries_of(const storage::Manifest& manifest,
                                         std::string_view path) {
  const auto found = std::ranges::equal_range(
      manifest.files, path, {},
      [](const ManifestFile& file) { return std::string_view(file.path); });
  return {found.begin(), found.end()};
}

const ManifestFile* with_platform(std::span<const ManifestFile> entries,
                                  std::string_view platform) {
  const auto found = std::ranges::find(entries, platform, &ManifestFile::platform);
  return found == entries.end() ? nullptr : &*found;
}

}  // namespace

ManifestTable::ManifestTable(std::string bytes)
    : bytes_(std::move(bytes)), manifest_(storage::decode_manifest(bytes_)) {}

const ManifestFile* ManifestTable::find(std::string_view path,
                                        const std::vector<std::string>& platforms) const {
  const auto entries = entries_of(manifest_, path);
  for (const std::string& platform : platforms) {
    if (const auto* entry = with_platform(entries, platform)) return entry;
  }
  if (const auto* entry = with_platform(entries, "")) return entry;
  return platforms.empty() && entries.size() == 1 ? entries.data() : nullptr;
}

std::vector<std::string> ManifestTable::platforms_of(std::string_view path) const {
  std::vector<std::string> platforms;
  for (const ManifestFile& entry : entries_of(manifest_, path)) {
    if (!entry.platform.empty()) platforms.push_back(entry.platform);
  }
  return platforms;
}

std::size_t ManifestTable::memory_bytes() const {
  std::size_t bytes = sizeof *this + bytes_.size();
  for (const ManifestFile& file : manifest_.files) {
    bytes += sizeof file + file.path.capacity() + file.platform.capacity();
  }
  return bytes;
}

}  // namespace mendel::registry
