#include "registry/services/version_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <utility>

#include "storage/base/error.h"

namespace mendel::registry {

namespace {

constexpr std::string_view kArtifactTopic = "artifact/";

std::optional<schema::VersionRow> find_version(schema::Transaction& tx, ArtifactId artifact,
                                               const VersionRef& ref) {
  struct {
    schema::Transaction& tx;
    ArtifactId artifact;

    auto operator()(Latest) const { return schema::find_latest_version(tx, artifact); }
    auto operator()(VersionNumber number) const {
      return schema::find_version(tx, artifact, number);
    }
    auto operator()(const AliasName& alias) const {
      return schema::find_version_by_alias(tx, artifact, alias.folded());
    }
    auto operator()(const Digest& digest) const {
      return schema::find_version_by_digest(tx, artifact, digest);
    }
  } const find{tx, artifact};
  return std::visit(find, ref.value());
}

VersionState state_of(std::string_view text) {
  for (const auto state : {VersionState::active, VersionState::yanked}) {
    if (text == to_string(state)) return state;
  }
  return VersionState::deleted;
}

Error no_artifact(const ArtifactName& name) {
  return {ErrorCode::not_found, "no artifact named " + name.text()};
}

}  // namespace

std::string_view to_string(VersionState state) {
  switch (state) {
    case VersionState::active: return "active";
    case VersionState::yanked: return "yanked";
    case VersionState::deleted: return "deleted";
  }
  return "active";
}

bool Version::names_own_namespace_alone() const {
  const std::string_view own = std::string_view(artifact).substr(0, artifact.find('/'));
  return std::ranges::all_of(inputs, [&](const PedigreeEdge& input) {
    return input.ref.empty() || input.ns() == own;
  });
}

storage::ArtifactKind kind_of(const schema::ArtifactRow& artifact) {
  if (const auto kind = storage::parse_artifact_kind(artifact.kind)) return *kind;
  throw Error(ErrorCode::data_loss, "an artifact of unknown kind " + artifact.kind);
}

Version to_version(const schema::ArtifactRow& artifact, schema::VersionRow row) {
  using nlohmann::json;
  std::vector<PedigreeEdge> inputs;
  std::vector<PedigreeEdge> components;
  for (PedigreeEdge& edge : parse_edges(row.edges)) {
    auto& list = edge.role == EdgeRole::component ? components : inputs;
    list.push_back(std::move(edge));
  }
  return {.id = row.id,
          .artifact_id = artifact.id,
          .namespace_id = artifact.namespace_id,
          .artifact = artifact.namespace_name + "/" + artifact.name,
          .kind = kind_of(artifact),
          .number = row.number,
          .digest = row.digest,
          .state = state_of(row.state),
          .state_reason = std::move(row.state_reason),
          .created_at = row.created_at,
          .created_by = std::move(row.created_by),
          .message = std::move(row.message),
          .labels = json::parse(row.labels).get<std::map<std::string, std::string>>(),
          .metrics = std::move(row.metrics),
          .hyperparameters_digest = row.hyperparameters_digest,
          .hyperparameters = std::move(row.hyperparameters),
          .source = std::move(row.source),
          .run = std::move(row.run),
          .job = std::move(row.job),
          .inputs = std::move(inputs),
          .hidden_inputs = 0,
          .components = std::move(components),
          .size_bytes = static_cast<std::uint64_t>(row.size_bytes),
          .file_count = static_cast<std::uint64_t>(row.file_count),
          .aliases = std::move(row.aliases)};
}

void require_kind(const schema::ArtifactRow& artifact, storage::ArtifactKind kind) {
  if (artifact.kind == storage::to_string(kind)) return;
  throw Error(ErrorCode::not_found,
              fmt::format("{}/{} is of kind {}, not {}", artifact.namespace_name,
                          artifact.name, artifact.kind, storage::to_string(kind)));
}

schema::ArtifactRow get_artifact(schema::Transaction& tx, const ArtifactName& name) {
  auto found = schema::find_artifact(tx, name.ns().folded(), name.name().folded());
  if (!found) throw no_artifact(name);
  return std::move(*found);
}

schema::ArtifactRow get_artifact(schema::Transaction& tx, const ArtifactName& name,
                                 storage::ArtifactKind kind) {
  schema::ArtifactRow found = get_artifact(tx, name);
  require_kind(found, kind);
  return found;
}

schema::ArtifactRow lock_artifact(schema::Transaction& tx, NamespaceId ns,
                                  const ArtifactName& name, storage::ArtifactKind kind) {
  auto found = schema::lock_artifact(tx, ns, name.name().folded());
  if (!found) throw no_artifact(name);
  require_kind(*found, kind);
  return std::move(*found);
}

schema::VersionRow get_version(schema::Transaction& tx, const schema::ArtifactRow& artifact,
                               const VersionRef& ref) {
  if (auto found = find_version(tx, artifact.id, ref)) return std::move(*found);
  const std::string name = artifact.namespace_name + "/" + artifact.name;
  if (std::holds_alternative<Latest>(ref.value())) {
    throw Error(ErrorCode::not_found, name + " has no version that is not yanked");
  }
  const char* what = std::holds_alternative<VersionNumber>(ref.value()) ? "version"
                     : std::holds_alternative<AliasName>(ref.value())
                         ? "alias"
                         : "version with digest";
  throw Error(ErrorCode::not_found, fmt::format("{} has no {} {}", name, what, ref.text()));
}

std::string artifact_topic(ArtifactId id) {
  return std::string(kArtifactTopic) + std::to_string(id);
}

std::optional<ArtifactId> artifact_of_topic(std::string_view topic) {
  if (!topic.starts_with(kArtifactTopic)) return std::nullopt;
  topic.remove_prefix(kArtifactTopic.size());
  ArtifactId id = 0;
  const auto [end, status] = std::from_chars(topic.data(), topic.data() + topic.size(), id);
  if (status != std::errc() || end != topic.data() + topic.size()) return std::nullopt;
  return id;
}

}  // namespace mendel::registry
