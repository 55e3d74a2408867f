#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "schema/database.h"
#include "storage/base/clock.h"
#include "storage/base/digest.h"

namespace mendel::schema {

// One move of an alias; its number counts from 1 for each alias, removals included.
struct AliasMoveRow {
  std::string alias;
  std::int32_t move = 0;
  std::optional<std::int32_t> version;  // absent: the alias was removed
  std::optional<Digest> digest;
  std::optional<std::int32_t> previous;
  Timestamp moved_at;
  std::string moved_by;
  std::string reason;
};

// Where the alias points, as its last move; nullopt if it does not exist now.
std::optional<AliasMoveRow> find_alias(Transaction& tx, std::int64_t artifact_id,
                                       const std::string& folded_name);

// Its last move at that time or before; may be a removal.
std::optional<AliasMoveRow> find_alias_move_at(Transaction& tx, std::int64_t artifact_id,
                                               const std::string& folded_name,
                                               Timestamp time);

// Newest first, those with numbers below before.
std::vector<AliasMoveRow> list_alias_moves(Transaction& tx, std::int64_t artifact_id,
                                           const std::string& folded_name,
                                           std::int32_t before, std::int64_t limit);

struct AliasPointer {
  std::string name;
  std::int32_t version = 0;
};
std::vector<AliasPointer> list_aliases(Transaction& tx, std::int64_t artifact_id);

struct NewAliasMove {
  std::int64_t artifact_id = 0;
  std::string name;
  std::string folded_name;
  std::optional<std::int64_t> version_id;  // absent: remove it
  Timestamp moved_at;
  std::string moved_by;
  std::string reason;
};

// Appends the move and points the alias there, or removes it. The artifact's row is locked
// by the caller. A move is never earlier than the one before it.
void insert_alias_move(Transaction& tx, const NewAliasMove& move);

}  // namespace mendel::schema
