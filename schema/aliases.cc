#include "schema/aliases.h"

#include "schema/transaction.h"

namespace mendel::schema {

namespace {

constexpr Statement kFindAlias{"find_alias", R"sql(
  select m.name, m.move, v.number, v.digest, p.number as previous,
         m.moved_at, m.moved_by, m.reason
    from alias a
    join alias_move m using (artifact_id, folded_name, move)
    join version v on v.id = m.version_id
    left join version p on p.id = m.previous_version_id
   where a.artifact_id = $1 and a.folded_name = $2
)sql"};

constexpr Statement kFindAliasMoveAt{"find_alias_move_at", R"sql(
  select m.name, m.move, v.number, v.digest, p.number as previous,
         m.moved_at, m.moved_by, m.reason
    from alias_move m
    left join version v on v.id = m.version_id
    left join version p on p.id = m.previous_version_id
   where m.artifact_id = $1 and m.folded_name = $2 and m.moved_at <= $3
   order by m.move desc
   limit 1
)sql"};

constexpr Statement kListAliasMoves{"list_alias_moves", R"sql(
  select m.name, m.move, v.number, v.digest, p.number as previous,
         m.moved_at, m.moved_by, m.reason
    from alias_move m
    left join version v on v.id = m.version_id
    left join version p on p.id = m.previous_version_id
   where m.artifact_id = $1 and m.folded_name = $2 and m.move < $3
   order by m.move desc
   limit $4
)sql"};

constexpr Statement kListAliases{"list_aliases", R"sql(
  select a.name, v.number
    from alias a join version v on v.id = a.version_id
   where a.artifact_id = $1
   order by a.folded_name
)sql"};

constexpr Statement kInsertAliasMove{"insert_alias_move", R"sql(
  with last as (
    select m.move, m.version_id, m.moved_at
      from alias_move m
     where m.artifact_id = $1 and m.folded_name = $3
     order by m.move desc
     limit 1
  )
  insert into alias_move (artifact_id, name, move, version_id,
                          previous_version_id, moved_at, moved_by, reason)
  select $1, $2, coalesce((select move from last), 0) + 1, $4,
         (select version_id from last), greatest($5, (select moved_at from last)), $6, $7
  returning move
)sql"};

constexpr Statement kPointAlias{"point_alias", R"sql(
  insert into alias (artifact_id, name, version_id, move)
  values ($1, $2, $3, $4)
  on conflict (artifact_id, folded_name)
  do update set version_id = excluded.version_id, move = excluded.move
)sql"};

constexpr Statement kDeleteAlias{"delete_alias", R"sql(
  delete from alias where artifact_id = $1 and folded_name = $2
)sql"};

AliasMoveRow alias_move(const Row& row) {
  return {.alias = at<std::string>(row, "name"),
          .move = at<std::int32_t>(row, "move"),
          .version = at<std::optional<std::int32_t>>(row, "number"),
          .digest = at<std::optional<Digest>>(row, "digest"),
          .previous = at<std::optional<std::int32_t>>(row, "previous"),
          .moved_at = at<Timestamp>(row, "moved_at"),
          .moved_by = at<std::string>(row, "moved_by"),
          .reason = at<std::string>(row, "reason")};
}

std::optional<AliasMoveRow> alias_move(const std::optional<Row>& row) {
  if (!row) return std::nullopt;
  return alias_move(*row);
}

}  // namespace

std::optional<AliasMoveRow> find_alias(Transaction& tx, std::int64_t artifact_id,
                                       const std::string& folded_name) {
  return alias_move(tx.exec_optional(kFindAlias, artifact_id, folded_name));
}

std::optional<AliasMoveRow> find_alias_move_at(Transaction& tx, std::int64_t artifact_id,
                                               const std::string& folded_name,
                                               Timestamp time) {
  return alias_move(tx.exec_optional(kFindAliasMoveAt, artifact_id, folded_name, time));
}

std::vector<AliasMoveRow> list_alias_moves(Transaction& tx, std::int64_t artifact_id,
                                           const std::string& folded_name,
                                           std::int32_t before, std::int64_t limit) {
  std::vector<AliasMoveRow> moves;
  for (const Row& row : tx.exec(kListAliasMoves, artifact_id, folded_name, before, limit)) {
    moves.push_back(alias_move(row));
  }
  return moves;
}

std::vector<AliasPointer> list_aliases(Transaction& tx, std::int64_t artifact_id) {
  std::vector<AliasPointer> aliases;
  for (const Row& row : tx.exec(kListAliases, artifact_id)) {
    aliases.push_back({at<std::string>(row, "name"), at<std::int32_t>(row, "number")});
  }
  return aliases;
}

void insert_alias_move(Transaction& tx, const NewAliasMove& move) {
  const Row row =
      tx.exec_one(kInsertAliasMove, move.artifact_id, move.name, move.folded_name,
                  move.version_id, move.moved_at, move.moved_by, move.reason);
  if (move.version_id) {
    tx.exec(kPointAlias, move.artifact_id, move.name, *move.version_id,
            at<std::int32_t>(row, "move"));
  } else {
    tx.exec(kDeleteAlias, move.artifact_id, move.folded_name);
  }
}

}  // namespace mendel::schema
