#pragma once

#include <string>

#include "cli/api_client.h"
#include "cli/blob_cache.h"
#include "storage/base/reference.h"
#include "storage/manifest.h"

namespace mendel::cli {

// A version that the server has, as it was when it was asked.
struct ResolvedVersion {
  storage::ArtifactKind kind;
  ArtifactName artifact;
  VersionNumber number;
  Digest digest;  // of its manifest
  Json document;  // all that the server says of it

  std::string reference() const { return numbered_reference(artifact, number); }
  std::string path() const;  // under its number, so that it keeps its meaning
};

// A reference says no kind: these find it. get_ throws not_found.
std::optional<storage::ArtifactKind> find_kind(ApiClient& server, const ArtifactName& name);
storage::ArtifactKind get_kind(ApiClient& server, const ArtifactName& name);
ResolvedVersion get_version(ApiClient& server, const Reference& reference);

// The manifest, checked against the version's digest. Throws data_loss.
storage::Manifest get_manifest(ApiClient& server, const ResolvedVersion& version);

// The same, and of a model set the whole tree: the files of its components lie below their
// names, and the routes of the version give their bytes. With a cache, fetched once per
// node and version.
storage::Manifest get_tree(ApiClient& server, const ResolvedVersion& version);
storage::Manifest get_tree(ApiClient& server, const ResolvedVersion& version,
                           BlobCache& cache);

// What its source had beyond the commit, checked against the digest; empty: nothing. Throws
// data_loss.
std::string get_patch(ApiClient& server, const ResolvedVersion& version);

// Says on standard error that the version should not be used, where it was yanked.
void warn_if_yanked(const ResolvedVersion& version);

}  // namespace mendel::cli
