#include "cli/resolve.h"

#include <fmt/core.h>

#include "cli/api_path.h"
#include "cli/local_file.h"
#include "storage/manifest_set.h"

namespace mendel::cli {

namespace {

using storage::ArtifactKind;

constexpr ArtifactKind kKinds[] = {ArtifactKind::model, ArtifactKind::dataset,
                                   ArtifactKind::environment};

ResolvedVersion decode_version(ArtifactKind kind, const ArtifactName& asked,
                               Json document) {
  // The server's spelling of the name, which ignores case.
  const auto artifact = ArtifactName::parse(document.value("artifact", asked.text()));
  const auto number = document.at("version").get<VersionNumber>();
  const auto digest = Digest::parse(document.at("digest").get<std::string>());
  return {kind, artifact, number, digest, std::move(document)};
}

// A manifest that the version has: its own, or that of a component.
struct ManifestPlace {
  std::string path;
  Digest digest;
  std::string name;  // for messages
};

std::string get_manifest_text(ApiClient& server, const ManifestPlace& place) {
  HttpAnswer answer = server.get_bytes(place.path);
  if (Digest::of(answer.body) != place.digest) {
    throw Error(ErrorCode::data_loss, "the manifest of " + place.name +
                                          " came with another digest than the version's");
  }
  return std::move(answer.body);
}

std::string get_manifest_text(ApiClient& server, const ManifestPlace& place,
                              BlobCache& cache) {
  std::string text;
  const auto take = [&]() -> std::vector<Digest> {
    const auto cached = cache.open(place.digest);
    if (!cached) return {place.digest};
    text = read_text(*cached, place.name);
    return {};
  };
  const auto fetch = [&](FileLock*) {
    text = get_manifest_text(server, place);
    auto copy = cache.begin(text.size());
    cache.write(copy, as_bytes(text));
    cache.add(place.digest, std::move(copy));
  };
  fetch_once(cache, place.digest, take, fetch);
  return text;
}

ManifestPlace place_of(const ResolvedVersion& version) {
  return {version.path() + "/files", version.digest, version.reference()};
}

// get(place) gives the text of a manifest; component is the path of names down to it.
template <class Get>
storage::Manifest tree_of(const ResolvedVersion& version, const ManifestPlace& place,
                          const std::string& component, const Get& get) {
  const storage::Manifest manifest = storage::decode_manifest(get(place));
  if (manifest.components.empty()) return manifest;
  std::vector<storage::Manifest> components;
  for (const auto& inner : manifest.components) {
    const std::string name = component.empty() ? inner.name : component + "/" + inner.name;
    components.push_back(tree_of(
        version, {version.path() + "/files?component=" + name, inner.digest, inner.ref},
        name, get));
  }
  return storage::expand(manifest, components);
}

}  // namespace

std::string ResolvedVersion::path() const {
  return version_path(kind, artifact, VersionRef(number));
}

std::optional<ArtifactKind> find_kind(ApiClient& server, const ArtifactName& name) {
  for (const ArtifactKind kind : kKinds) {
    if (server.find(artifact_path(kind, name))) return kind;
  }
  return std::nullopt;
}

ArtifactKind get_kind(ApiClient& server, const ArtifactName& name) {
  if (const auto kind = find_kind(server, name)) return *kind;
  throw Error(ErrorCode::not_found, fmt::format("there is no {} that you may read on {}",
                                                name.text(), server.access().url));
}

ResolvedVersion get_version(ApiClient& server, const Reference& reference) {
  for (const ArtifactKind kind : kKinds) {
    auto document = server.find(version_path(kind, reference.artifact, reference.version));
    if (document) return decode_version(kind, reference.artifact, std::move(*document));
  }
  get_kind(server, reference.artifact);
  throw Error(ErrorCode::not_found, "there is no " + reference.text());
}

storage::Manifest get_manifest(ApiClient& server, const ResolvedVersion& version) {
  return storage::decode_manifest(get_manifest_text(server, place_of(version)));
}

storage::Manifest get_tree(ApiClient& server, const ResolvedVersion& version) {
  return tree_of(version, place_of(version), "", [&](const ManifestPlace& place) {
    return get_manifest_text(server, place);
  });
}

storage::Manifest get_tree(ApiClient& server, const ResolvedVersion& version,
                           BlobCache& cache) {
  return tree_of(version, place_of(version), "", [&](const ManifestPlace& place) {
    return get_manifest_text(server, place, cache);
  });
}

std::string get_patch(ApiClient& server, const ResolvedVersion& version) {
  const Json source = version.document.value("source", Json::object());
  if (!source.contains("patch")) return "";
  HttpAnswer answer = server.get_bytes(version.path() + "/patch");
  if (Digest::of(answer.body) != Digest::parse(source["patch"].get<std::string>())) {
    throw Error(ErrorCode::data_loss, "the patch of " + version.reference() +
                                          " came with another digest than its source's");
  }
  return std::move(answer.body);
}

void warn_if_yanked(const ResolvedVersion& version) {
  if (version.document.value("state", "active") != "yanked") return;
  fmt::print(stderr, "mendel: warning: {} was yanked\n", version.reference());
}

}  // namespace mendel::cli
