#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "registry/services/namespace_packs.h"
#include "schema/database.h"

namespace mendel::registry {

struct RebuildReport {
  std::uint64_t packs = 0;
  std::uint64_t blobs = 0;  // found in packs; several packs may have the same one
  std::uint64_t manifests = 0;
  std::uint64_t attached = 0;         // given again to namespaces whose versions name them
  std::vector<std::string> problems;  // a sentence each; what is damaged is left out
};

// How much is read. In any case a blob that is made of chunks is hashed before a row names
// it: the object of a pack may have stayed behind whose recipe was found to lie. Blobs of
// one record were verified before their pack was written; everything reads those, too.
enum class Verify { blobs_of_chunks, everything };

// Repairs what names the stored bytes, from the bytes themselves. Any thread.
class FsckService {
 public:
  FsckService(schema::Database& database, NamespacePacks& packs)
      : database_(database), packs_(packs) {}

  // Makes the rows of packs, blobs and manifests again from the object store, namespace by
  // namespace. Rows that are there stay as they are. A damaged pack, record or blob is
  // reported and stops nothing; only an object store or a database that is away does (then
  // it can be run again).
  //
  // What was attached from another namespace has no object that says so. It comes back
  // where a version of the namespace names it; what was attached and never published does
  // not.
  RebuildReport rebuild_index(Verify verify);

 private:
  schema::Database& database_;
  NamespacePacks& packs_;
};

}  // namespace mendel::registry
