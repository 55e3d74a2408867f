#include "registry/api/attached_files.h"

#include <fmt/format.h>

#include <algorithm>

#include "registry/services/access.h"
#include "registry/services/blobs.h"
#include "registry/services/versions.h"
#include "storage/base/error.h"

namespace mendel::registry::api {

void attach_files(const Request& request, Services& services, NamespaceId ns,
                  const std::vector<AttachedFile>& attached) {
  for (const auto& [digest, from] : attached) {
    const NamespaceInfo source =
        services.access.require(request.caller(), from.artifact.ns(), Role::reader).ns;
    const auto record = services.versions.get_of_any_kind(from.artifact, from.version);
    const auto& files = services.versions.manifest(record->version)->manifest().files;
    const bool holds = std::ranges::any_of(
        files, [&](const storage::ManifestFile& file) { return file.digest == digest; });
    if (!holds) {
      throw Error(ErrorCode::not_found,
                  fmt::format("{} has no file {}", from.text(), digest.to_string()));
    }
    services.blobs.attach(ns, source.id, digest);
  }
}

}  // namespace mendel::registry::api
