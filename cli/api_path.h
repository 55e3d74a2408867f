#pragma once

#include <string>
#include <string_view>

#include "storage/base/reference.h"
#include "storage/manifest.h"

namespace mendel::cli {

// The paths of the server's interface, percent-encoded where they carry names.
std::string artifacts_path(storage::ArtifactKind kind);  // /api/v1/models
std::string artifact_path(storage::ArtifactKind kind, const ArtifactName& name);
std::string version_path(storage::ArtifactKind kind, const ArtifactName& name,
                         const VersionRef& version);
std::string alias_path(storage::ArtifactKind kind, const ArtifactName& name,
                       const AliasName& alias);
std::string namespace_path(const Name& ns);
std::string blob_path(const Name& ns, const Digest& digest);

// "/files/" or "/recipe/" and the file, below a version's path.
std::string file_path(std::string_view version_path, std::string_view collection,
                      const storage::ManifestFile& file);

}  // namespace mendel::cli
