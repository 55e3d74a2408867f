#include "cli/api_path.h"

#include "storage/base/http_client.h"

namespace mendel::cli {

namespace {

std::string encode_each_part(std::string_view path) {
  std::string encoded;
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    encoded += (begin ? "/" : "") + percent_encode(path.substr(begin, end - begin));
    begin = end + 1;
  }
  return encoded;
}

}  // namespace

std::string artifacts_path(storage::ArtifactKind kind) {
  return "/api/v1/" + std::string(to_string(kind)) + "s";
}

std::string artifact_path(storage::ArtifactKind kind, const ArtifactName& name) {
  return artifacts_path(kind) + "/" + name.text();
}

std::string version_path(storage::ArtifactKind kind, const ArtifactName& name,
                         const VersionRef& version) {
  return artifact_path(kind, name) + "/versions/" + version.text();
}

std::string alias_path(storage::ArtifactKind kind, const ArtifactName& name,
                       const AliasName& alias) {
  return artifact_path(kind, name) + "/aliases/" + alias.text();
}

std::string namespace_path(const Name& ns) { return "/api/v1/namespaces/" + ns.text(); }

std::string blob_path(const Name& ns, const Digest& digest) {
  return namespace_path(ns) + "/blobs/" + digest.to_string();
}

std::string file_path(std::string_view version_path, std::string_view collection,
                      const storage::ManifestFile& file) {
  std::string path = std::string(version_path) + "/" + std::string(collection) + "/" +
                     encode_each_part(file.path);
  if (!file.platform.empty()) path += "?platform=" + percent_encode(file.platform);
  return path;
}

}  // namespace mendel::cli
