#pragma once

#include "registry/api/request.h"
#include "storage/base/reference.h"
#include "storage/manifest.h"

namespace mendel::registry::api {

// What the parts of a path mean: {kind}, {ns}/{name}, {ref}, {alias}.
storage::ArtifactKind kind_of(const Request& request);
ArtifactName artifact_of(const Request& request);
VersionRef ref_of(const Request& request);
AliasName alias_of(const Request& request);

// "models" for model: how a kind is written in URLs.
std::string_view plural(storage::ArtifactKind kind);

// ?after= as the whole number that `next` was; nullopt on the first page.
std::optional<std::int32_t> number_after(const Request& request);

}  // namespace mendel::registry::api
