#include "schema/ledger_pairs.h"

#include <utility>

#include "schema/composer.h"
#include "schema/ledger_sql.h"
#include "schema/transaction.h"

namespace mendel::schema {

std::vector<LedgerPairRow> sum_ledger_pairs(Transaction& tx,
                                            const LedgerPairQuestion& question) {
  Composer composer;
  std::string sql = composer.piece(R"sql(
  select coalesce(e.subject ->> {}::text, '') as part,
         coalesce(e.subject ->> {}::text, '') as value,
         sum(e.weight)::bigint as weight, count(*) as entries)sql",
                                   question.part_key, question.value_key);
  sql += entries_of(composer, question.scope, {.after = 0, .last = question.sequence});
  sql += composer.piece(" and e.occurred_at <= {}::timestamptz", question.until);
  if (question.from) {
    sql += composer.piece(" and e.occurred_at >= {}::timestamptz", *question.from);
  }
  sql += composer.piece(" group by 1, 2");

  std::vector<LedgerPairRow> pairs;
  for (const Row& row : tx.exec(std::move(composer).finish(std::move(sql)))) {
    pairs.push_back({.part = at<std::string>(row, "part"),
                     .value = at<std::string>(row, "value"),
                     .weight = at<std::int64_t>(row, "weight"),
                     .entries = at<std::int64_t>(row, "entries")});
  }
  return pairs;
}

}  // namespace mendel::schema
