#include "cli/resolve.h"

#include <fmt/core.h>

#include "cli/api_path.h"

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
  const HttpAnswer answer = server.get_bytes(version.path() + "/files");
  if (Digest::of(answer.body) != version.digest) {
    throw Error(ErrorCode::data_loss, "the manifest of " + version.reference() +
                                          " came with another digest than the version's");
  }
  return storage::decode_manifest(answer.body);
}

void warn_if_yanked(const ResolvedVersion& version) {
  if (version.document.value("state", "active") != "yanked") return;
  fmt::print(stderr, "mendel: warning: {} was yanked\n", version.reference());
}

}  // namespace mendel::cli
