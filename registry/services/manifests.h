#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "registry/services/blobs.h"
#include "registry/services/caller.h"
#include "registry/services/inputs.h"
#include "schema/pedigree.h"
#include "storage/base/digest.h"
#include "storage/base/reference.h"
#include "storage/manifest.h"

namespace mendel::registry {

// Takes manifests into a namespace: that of a version, or of a checkpoint. Any thread.
class ManifestService {
 public:
  ManifestService(BlobService& blobs, InputService& inputs)
      : blobs_(blobs), inputs_(inputs) {}

  // A version that is part of a model set, and what it is called there.
  struct Component {
    std::string name;
    Reference ref;
  };

  // A manifest that lies in the namespace, durably, with all that it names.
  struct Stored {
    Digest digest;
    std::uint64_t size_bytes = 0;  // these two: components included
    std::uint64_t file_count = 0;
    std::vector<schema::NewEdge> components;
    std::vector<Digest> files;  // stored ones, each once, sorted; components included
  };

  // One whose stored files may lack their sizes, and whose components are still to be
  // frozen. The blobs of components are given to the namespace, so that a set is served
  // from one place: the caller may read them. Throws unprocessable for files whose bytes
  // the namespace does not have, not_found for components that the caller may not read.
  Stored store(const Caller& caller, NamespaceId ns, storage::Manifest manifest,
               std::span<const Component> components);

  // One that the client sent as a record of a pack or as a plain blob, complete and
  // canonical.
  Stored adopt(const Caller& caller, NamespaceId ns, storage::ArtifactKind kind,
               const Digest& digest);

 private:
  enum class Sizes { filled_in, stated };
  void require_blobs(NamespaceId ns, storage::Manifest& manifest, Sizes sizes_are);
  std::vector<schema::VersionKey> freeze(const Caller& caller,
                                         std::span<const Component> components);
  Stored finish(NamespaceId ns, const storage::Manifest& manifest, const std::string& bytes,
                std::span<const schema::VersionKey> components);
  storage::Manifest bring_component(NamespaceId ns, const schema::VersionKey& component);
  std::string uploaded(NamespaceId ns, const Digest& digest);

  BlobService& blobs_;
  InputService& inputs_;
};

// A model set of the namespace as one tree: its own files, and those of each component, and
// of theirs, below the component's name. Throws data_loss where a component's manifest is
// not there.
storage::Manifest expand_set(BlobService& blobs, NamespaceId ns,
                             const storage::Manifest& set);

}  // namespace mendel::registry
