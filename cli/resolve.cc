#include "cli/resolve.h"

#include <fmt/core.h>

#include "cli/api_path.h"
#include "cli/local_file.h"

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

std::string get_manifest_text(ApiClient& server, const ResolvedVersion& version) {
  HttpAnswer answer = server.get_bytes(version.path() + "/files");
  if (Digest::of(answer.body) != version.digest) {
    throw Error(ErrorCode::data_loss, "the manifest of " + version.reference() +
                                          " came with another digest than the version's");
  }
  return std::move(answer.body);
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
  return storage::decode_manifest(get_manifest_text(server, version));
}

storage::Manifest get_manifest(ApiClient& server, const ResolvedVersion& version,
                               BlobCache& cache) {
  std::string text;
  const auto take = [&]() -> std::vector<Digest> {
    const auto cached = cache.open(version.digest);
    if (!cached) return {version.digest};
    text = read_text(*cached, version.reference());
    return {};
  };
  const auto fetch = [&](FileLock*) {
    text = get_manifest_text(server, version);
    auto copy = cache.begin(text.size());
    cache.write(copy, as_bytes(text));
    cache.add(version.digest, std::move(copy));
  };
  fetch_once(cache, version.digest, take, fetch);
  return storage::decode_manifest(text);
}

void warn_if_yanked(const ResolvedVersion& version) {
  if (version.document.value("state", "active") != "yanked") return;
  fmt::print(stderr, "mendel: warning: {} was yanked\n", version.reference());
}

}  // namespace mendel::cli
