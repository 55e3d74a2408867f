#pragma once

#include <string>
#include <vector>

#include "registry/services/caller.h"
#include "schema/database.h"
#include "storage/base/reference.h"
#include "storage/manifest.h"

namespace mendel::registry {

// What keeps an attempt at a job that is over from doing anything, however late its
// requests arrive: each transaction that an attempt's token can write with asks here, and
// holds the job's row until it has committed. Callers without an attempt pass.

// Throws already_exists where the attempt has ended. It does not end before the
// transaction.
void require_live_attempt(schema::Transaction& tx, const Caller& caller);

// What somebody is about to publish.
struct PublishedThing {
  const ArtifactName& artifact;
  storage::ArtifactKind kind;
  const std::vector<AliasName>& aliases;
};

// Before an attempt publishes: it lives, the artifact is what its job produces, the aliases
// are among those that the job moves, and nothing was published by the job before. Throws
// already_exists and permission_denied. Whether the job takes effect by it: what it runs
// in, a version of environment_of() what it produces, may be published before and without.
bool require_effect(schema::Transaction& tx, const Caller& caller,
                    const PublishedThing& thing);

// The job has taken effect: it made this version, and will make no other.
void record_effect(schema::Transaction& tx, const Caller& caller, VersionId version);

// The run that an attempt has started is its job's. It ends, and takes no more metrics,
// when the attempt ends.
void record_run_of_attempt(schema::Transaction& tx, const Caller& caller, std::int64_t run,
                           const std::string& uuid);

}  // namespace mendel::registry
