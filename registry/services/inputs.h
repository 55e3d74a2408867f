#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "registry/services/access.h"
#include "registry/services/caller.h"
#include "registry/services/edge.h"
#include "schema/database.h"
#include "schema/pedigree.h"
#include "storage/base/digest.h"
#include "storage/base/reference.h"

namespace mendel::registry {

// What a request says that something is made from: a version, or something outside.
struct InputRequest {
  EdgeRole role = EdgeRole::trained_on;
  std::string name;  // that it goes by; may be empty
  std::optional<Reference> ref;
  std::string uri;               // without ref
  std::optional<Digest> digest;  // of what lies at uri
};

// Freezes references: what "production" means at this moment is what a pedigree keeps. Any
// thread.
class InputService {
 public:
  InputService(schema::Database& database, AccessService& access)
      : database_(database), access_(access) {}

  // A reference, and where it stands in the request, for messages: "/inputs/3/ref".
  struct Asked {
    Reference ref;
    std::string pointer;
  };

  // A version for each, in order. Throws not_found, naming every reference, where there is
  // no such version or the caller may not read it: which of the two is not told.
  std::vector<schema::VersionKey> freeze(const Caller& caller,
                                         std::span<const Asked> asked);

  // The edges that the inputs make.
  std::vector<schema::NewEdge> freeze_inputs(const Caller& caller,
                                             std::span<const InputRequest> inputs);

 private:
  std::vector<bool> may_read_each(const Caller& caller, std::span<const Asked> asked);

  schema::Database& database_;
  AccessService& access_;
};

// Takes share locks, until the transaction ends, on what the edges lead to, so that it is
// not deleted meanwhile. Throws not_found where it was deleted already.
void hold_targets(schema::Transaction& tx, std::span<const schema::NewEdge> edges);

}  // namespace mendel::registry
