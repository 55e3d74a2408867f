#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "schema/database.h"
#include "storage/base/clock.h"

namespace mendel::schema {

// Repositories that are looked at because triggers of a namespace listen to them and no
// hook of that namespace tells of them.

// Adds those that are missing, due now, and removes those that nobody listens to any more.
void follow_triggers(Transaction& tx, Timestamp now);

struct PollRow {
  std::int64_t namespace_id = 0;
  std::string repository;
  std::string url;
  bool wants_paths = false;
  std::optional<std::string> refs;  // JSON; absent: never seen
  std::int32_t failures = 0;
};

// One that is due, if there is one that nobody else is claiming: it is due again at until.
// claim: a UUID.
std::optional<PollRow> claim_poll(Transaction& tx, Timestamp now, Timestamp until,
                                  std::string_view claim);

// The same, locked; nullopt: somebody else has claimed it since, or it is gone.
std::optional<PollRow> lock_claimed_poll(Transaction& tx, const PollRow& row,
                                         std::string_view claim);

void note_refs(Transaction& tx, const PollRow& row, std::string_view refs, Timestamp now,
               Timestamp due_at);
void note_poll_failure(Transaction& tx, const PollRow& row, std::string_view claim,
                       std::string_view problem, Timestamp due_at);

// Nobody has looked, after all: it is due as it was.
void release_poll(Transaction& tx, const PollRow& row, std::string_view claim,
                  Timestamp due_at);

}  // namespace mendel::schema
