#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "schema/database.h"
#include "storage/base/clock.h"

namespace mendel::schema {

// Jobs whose commit is still to be found: by their source, since many may wait for one.

struct WantedSource {
  std::string repository;
  std::string ref;
  std::int32_t failures = 0;
  Timestamp since;  // when the first of its jobs was made
  Timestamp claimed_until;
};

// One that is due, which nobody else is given until claimed_until.
std::optional<WantedSource> claim_wanted_source(Transaction& tx, Timestamp now,
                                                Timestamp claimed_until);

// Who asks for it still does: nobody else is given it until then. Of jobs that were made
// since it was claimed it says nothing.
void keep_claim(Transaction& tx, const WantedSource& source, Timestamp claimed_until);

// Jobs that were made before the commit was asked for have it from now on: the pipelines
// that they are of.
std::vector<std::int64_t> set_commit_of_jobs(Transaction& tx, const WantedSource& source,
                                             const std::string& commit, Timestamp asked_at);

// It could not be found: asked again at retry_at.
void postpone_source(Transaction& tx, const WantedSource& source,
                     const std::string& problem, Timestamp retry_at);

// Jobs that were made before a time and still wait for it; locked.
std::vector<std::int64_t> lock_jobs_waiting_for_source(Transaction& tx,
                                                       const WantedSource& source,
                                                       Timestamp made_before);

}  // namespace mendel::schema
