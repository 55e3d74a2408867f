#include "cli/push_base.h"

#include <algorithm>
#include <tuple>

#include "cli/api_path.h"
#include "cli/recipe_stream.h"

namespace mendel::cli {

namespace {

auto key_of(const storage::ManifestFile& file) {
  return std::tie(file.path, file.platform);
}

// A name is used once per namespace: better said before the bytes are sent.
void require_kind_or_absent(ApiClient& server, storage::ArtifactKind kind,
                            const ArtifactName& name) {
  const auto is = find_kind(server, name);
  if (!is || *is == kind) return;
  throw Error(ErrorCode::already_exists,
              name.text() + " is a " + std::string(to_string(*is)) + " already");
}

}  // namespace

PushBase PushBase::find(ApiClient& server, storage::ArtifactKind kind,
                        const ArtifactName& name) {
  PushBase base;
  const auto newest = server.find(version_path(kind, name, VersionRef(Latest{})));
  if (!newest) {
    require_kind_or_absent(server, kind, name);
    return base;
  }
  base.version_ =
      get_version(server, {name, VersionRef(newest->at("version").get<VersionNumber>())});
  base.manifest_ = get_manifest(server, *base.version_);
  for (const auto& file : base.manifest_.files) {
    if (file.digest) base.blobs_.insert(*file.digest);
  }
  return base;
}

const storage::ManifestFile* PushBase::find_file(const storage::ManifestFile& like) const {
  const auto& files = manifest_.files;
  const auto found = std::ranges::lower_bound(files, key_of(like), {}, key_of);
  if (found == files.end() || key_of(*found) != key_of(like) || !found->digest)
    return nullptr;
  return &*found;
}

std::string PushBase::recipe_path(const storage::ManifestFile& file) const {
  return file_path(version_->path(), "recipe", file);
}

BaseChunks read_base_chunks(ApiClient& server, const std::string& recipe_path,
                            ChunkMap& packs) {
  constexpr Digest kNotOfThisNamespace{};
  BaseChunks base;
  bool is_short = false;
  const bool found = visit_recipe(server, recipe_path, [&](const storage::Recipe& leaf) {
    for (const auto& entry : leaf.entries) {
      const bool known = entry.pack && leaf.packs[entry.pack - 1] != kNotOfThisNamespace;
      if (known) packs.add(entry.digest, leaf.packs[entry.pack - 1]);
      if (base.trail.chunks().size() == BaseChunks::kChunksMax) {
        is_short = true;
      } else {
        base.trail.add({entry.digest, std::uint32_t(entry.size_bytes)});
      }
    }
  });
  base.complete = found && !is_short;
  return base;
}

}  // namespace mendel::cli
