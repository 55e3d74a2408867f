#include "registry/services/manifests.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "storage/base/error.h"
#include "storage/manifest_set.h"
#include "storage/pack.h"

namespace mendel::registry {

namespace {

constexpr std::size_t kReportedMissingMax = 100;
constexpr std::size_t kComponentsMax = 1000;

[[noreturn]] void refuse(const std::string& pointer, const std::string& detail) {
  throw Error(ErrorCode::unprocessable, pointer + ": " + detail, {{pointer, detail}});
}

storage::Manifest manifest_of(BlobService& blobs, NamespaceId ns, const Digest& digest,
                              std::string_view what) {
  const auto bytes = blobs.find_manifest(ns, digest);
  if (!bytes) {
    throw Error(ErrorCode::data_loss, fmt::format("the manifest of {} is lost", what));
  }
  return storage::decode_manifest(*bytes);
}

// This manifest and those of its components, and of theirs.
void copy_manifests(BlobService& blobs, NamespaceId ns, NamespaceId from,
                    const storage::Manifest& manifest) {
  for (const auto& component : manifest.components) {
    copy_manifests(blobs, ns, from,
                   manifest_of(blobs, from, component.digest, component.ref));
  }
  const std::string bytes = storage::encode_manifest(manifest);
  blobs.store_manifest(ns, Digest::of(bytes), bytes);
}

std::vector<Digest> digests_of(const storage::Manifest& manifest) {
  std::vector<Digest> digests;
  for (const auto& file : manifest.files) {
    if (file.digest) digests.push_back(*file.digest);
  }
  std::ranges::sort(digests);
  digests.erase(std::ranges::unique(digests).begin(), digests.end());
  return digests;
}

void require_kind(const storage::Manifest& manifest, storage::ArtifactKind kind) {
  if (manifest.kind == kind) return;
  throw Error(ErrorCode::unprocessable,
              fmt::format("the manifest is of kind {}, the route of kind {}",
                          storage::to_string(manifest.kind), storage::to_string(kind)));
}

}  // namespace

storage::Manifest expand_set(BlobService& blobs, NamespaceId ns,
                             const storage::Manifest& set) {
  std::vector<storage::Manifest> components;
  std::size_t count = 0;
  for (const auto& component : set.components) {
    components.push_back(
        expand_set(blobs, ns, manifest_of(blobs, ns, component.digest, component.ref)));
    count += components.back().files.size();
    if (count > storage::kSetFilesMax) break;  // expand() says so
  }
  return storage::expand(set, components);
}

// The namespace must have the bytes of every stored file. Sizes that the request left out
// are filled in; the others must be right.
void ManifestService::require_blobs(NamespaceId ns, storage::Manifest& manifest,
                                    Sizes sizes_are) {
  std::vector<Digest> digests;
  for (const auto& file : manifest.files) {
    if (file.digest) digests.push_back(*file.digest);
  }
  const auto sizes = blobs_.sizes(ns, digests);
  std::vector<FieldError> missing;
  std::vector<Digest> absent;
  std::size_t next = 0;
  for (std::size_t i = 0; i < manifest.files.size(); ++i) {
    auto& file = manifest.files[i];
    if (!file.digest) continue;
    const auto& size = sizes[next++];
    if (!size) {
      absent.push_back(*file.digest);
      missing.push_back({fmt::format("/files/{}/digest", i),
                         "this namespace has no blob " + file.digest->to_string() +
                             ": upload its bytes first"});
    } else if ((sizes_are == Sizes::stated || file.size_bytes != 0) &&
               file.size_bytes != *size) {
      missing.push_back(
          {fmt::format("/files/{}/size", i),
           fmt::format("the blob has {} bytes, not {}", *size, file.size_bytes)});
    } else {
      file.size_bytes = *size;
    }
    if (missing.size() == kReportedMissingMax) break;
  }
  blobs_.refuse_purged(ns, absent);
  if (!missing.empty()) {
    const std::string first = missing.front().pointer + ": " + missing.front().detail;
    throw Error(ErrorCode::unprocessable, first, std::move(missing));
  }
}

std::string ManifestService::uploaded(NamespaceId ns, const Digest& digest) {
  if (auto found = blobs_.find_manifest(ns, digest)) return std::move(*found);
  const auto blob = blobs_.find(ns, digest);
  if (!blob) {
    refuse("/manifest",
           "this namespace has no manifest " + digest.to_string() + ": upload it first");
  }
  if (blob->size_bytes() > storage::kManifestSizeMax) {
    throw Error(ErrorCode::too_large,
                fmt::format("a manifest has at most {} bytes", storage::kManifestSizeMax));
  }
  std::string bytes(blob->size_bytes(), '\0');
  blobs_.open(*blob, 0, blob->size_bytes())->read(std::as_writable_bytes(std::span(bytes)));
  return bytes;
}

std::vector<schema::VersionKey> ManifestService::freeze(
    const Caller& caller, std::span<const Component> components) {
  if (components.size() > kComponentsMax) {
    refuse("/components", fmt::format("has more than {} entries", kComponentsMax));
  }
  std::vector<InputService::Asked> asked;
  for (std::size_t i = 0; i < components.size(); ++i) {
    asked.push_back({components[i].ref, fmt::format("/components/{}/ref", i)});
  }
  return inputs_.freeze(caller, asked);
}

// The component as one tree. Where it lies in another namespace, its blobs and manifests
// are given to this one.
storage::Manifest ManifestService::bring_component(NamespaceId ns,
                                                   const schema::VersionKey& component) {
  const NamespaceId from = component.namespace_id;
  const storage::Manifest manifest =
      manifest_of(blobs_, from, component.digest, component.reference());
  storage::Manifest tree = expand_set(blobs_, from, manifest);
  if (from == ns) return tree;

  std::vector<Digest> digests;
  for (const auto& file : tree.files) {
    if (file.digest) digests.push_back(*file.digest);
  }
  blobs_.attach_all(ns, from, digests);
  copy_manifests(blobs_, ns, from, manifest);
  return tree;
}

ManifestService::Stored ManifestService::finish(
    NamespaceId ns, const storage::Manifest& manifest, const std::string& bytes,
    std::span<const schema::VersionKey> components) {
  std::vector<storage::Manifest> trees;
  for (const auto& component : components) trees.push_back(bring_component(ns, component));
  const storage::Manifest whole = storage::expand(manifest, trees);

  Stored stored{.digest = Digest::of(bytes),
                .size_bytes = whole.size_bytes(),
                .file_count = whole.files.size(),
                .components = {},
                .files = digests_of(whole)};
  for (std::size_t i = 0; i < components.size(); ++i) {
    stored.components.push_back({.role = std::string(to_string(EdgeRole::component)),
                                 .name = manifest.components[i].name,
                                 .target_id = components[i].id,
                                 .uri = std::nullopt,
                                 .digest = std::nullopt});
  }
  blobs_.store_manifest(ns, stored.digest, bytes);
  return stored;
}

ManifestService::Stored ManifestService::store(const Caller& caller, NamespaceId ns,
                                               storage::Manifest manifest,
                                               std::span<const Component> components) {
  require_blobs(ns, manifest, Sizes::filled_in);
  const auto keys = freeze(caller, components);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    manifest.components.push_back(
        {components[i].name, keys[i].reference(), keys[i].digest});
  }
  storage::normalise(manifest);  // sorts the components, and so must the keys be

  std::map<std::string, schema::VersionKey> by_ref;
  for (const auto& key : keys) by_ref.emplace(key.reference(), key);
  std::vector<schema::VersionKey> sorted;
  for (const auto& component : manifest.components) {
    sorted.push_back(by_ref.at(component.ref));
  }
  return finish(ns, manifest, storage::encode_manifest(manifest), sorted);
}

ManifestService::Stored ManifestService::adopt(const Caller& caller, NamespaceId ns,
                                               storage::ArtifactKind kind,
                                               const Digest& digest) {
  const std::string bytes = uploaded(ns, digest);
  storage::Manifest manifest = storage::decode_manifest(bytes);
  require_kind(manifest, kind);
  require_blobs(ns, manifest, Sizes::stated);

  std::vector<Component> components;
  for (const auto& component : manifest.components) {
    components.push_back({component.name, Reference::parse(component.ref)});
  }
  const auto keys = freeze(caller, components);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (keys[i].digest == manifest.components[i].digest) continue;
    refuse(fmt::format("/components/{}/digest", i),
           keys[i].reference() + " has the digest " + keys[i].digest.to_string());
  }
  return finish(ns, manifest, bytes, keys);
}

}  // namespace mendel::registry
