#include "registry/services/source_patch.h"

#include <nlohmann/json.hpp>

#include "storage/base/error.h"

namespace mendel::registry {

void require_patch(BlobService& blobs, NamespaceId ns,
                   const std::optional<std::string>& source) {
  if (!source) return;
  const auto patch = nlohmann::json::parse(*source).value("patch", "");
  if (patch.empty() || blobs.find(ns, Digest::parse(patch))) return;
  const std::string detail = "this namespace has no blob " + patch + ": upload it first";
  throw Error(ErrorCode::unprocessable, "/source/patch: " + detail,
              {{"/source/patch", detail}});
}

}  // namespace mendel::registry
