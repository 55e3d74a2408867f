#include "registry/api/names.h"

#include <charconv>

#include "storage/base/error.h"

namespace mendel::registry::api {

storage::ArtifactKind kind_of(const Request& request) {
  const std::string_view kind = request.path("kind");
  if (kind == "models") return storage::ArtifactKind::model;
  if (kind == "datasets") return storage::ArtifactKind::dataset;
  return storage::ArtifactKind::environment;
}

std::string_view plural(storage::ArtifactKind kind) {
  switch (kind) {
    case storage::ArtifactKind::model: return "models";
    case storage::ArtifactKind::dataset: return "datasets";
    case storage::ArtifactKind::environment: return "environments";
  }
  return "models";
}

ArtifactName artifact_of(const Request& request) {
  return ArtifactName::parse(request.path("ns"), request.path("name"));
}

VersionRef ref_of(const Request& request) { return VersionRef::parse(request.path("ref")); }

AliasName alias_of(const Request& request) {
  return AliasName::parse(request.path("alias"));
}

std::optional<std::int32_t> number_after(const Request& request) {
  const auto after = request.after();
  if (!after) return std::nullopt;
  std::int32_t number = 0;
  const auto [end, status] =
      std::from_chars(after->data(), after->data() + after->size(), number);
  if (status != std::errc() || end != after->data() + after->size() || number < 0) {
    throw Error(ErrorCode::invalid_argument, "after takes what 'next' said, unchanged");
  }
  return number;
}

}  // namespace mendel::registry::api
