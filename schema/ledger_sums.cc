#include "schema/ledger_sums.h"

#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "schema/composer.h"
#include "schema/ledger_sql.h"
#include "schema/transaction.h"
#include "storage/base/error.h"

namespace mendel::schema {

namespace {

constexpr Statement kListCountingsBehind{"list_countings_behind", R"sql(
  select c.id
    from kpi_counting c, kpi_head h
   where c.rolled_up_to < h.sequence
   order by c.id
)sql"};

constexpr Statement kTryLockCounting{"try_lock_counting", R"sql(
  select id, kpi_id, rule, rolled_up_to
    from kpi_counting
   where id = $1
     for no key update skip locked
)sql"};

constexpr Statement kUpdateRolledUpTo{"update_rolled_up_to", R"sql(
  update kpi_counting set rolled_up_to = $2 where id = $1
)sql"};

constexpr Statement kFindRolledUpTo{"find_rolled_up_to", R"sql(
  select rolled_up_to from kpi_counting where id = $1
)sql"};

constexpr Statement kFindEndOfBatches{"find_end_of_batches", R"sql(
  with next as (
    select sequence, entry_count, entries_through
      from kpi_batch
     where sequence > $1
     order by sequence
     limit 10000
  )
  select max(sequence) as last
    from next
   where sequence = (select min(sequence) from next)
      or entries_through - $2 <= (select min(entries_through - entry_count) from next)
)sql"};

constexpr Statement kAllowLongStatements{"allow_long_statements",
                                         "set local statement_timeout = '1h'"};

std::string text_of(std::chrono::sys_days day) {
  return format_rfc3339(day).substr(0, std::string_view("2024-02-13").size());
}

std::chrono::sys_days day_of(const Row& row, const char* column) {
  return std::chrono::floor<std::chrono::days>(
      parse_rfc3339(at<std::string>(row, column) + "T00:00:00Z"));
}

// --- Roll-up ----------------------------------------------------------------------------

// Corrections bear the occurrence, the version and the subject of their event, so that
// every entry is one summand. Resources are summed up under no key alone.
std::string sums_of_batches(Composer& composer, const LedgerScope& scope,
                            const std::vector<std::string>& keys, BatchRange batches) {
  std::string sql = composer.piece(R"sql(
  with part as materialized (
    select e.subject, coalesce(e.version_id, 0) as version_id,
           (e.occurred_at at time zone 'UTC')::date as occurred_on,
           (b.recorded_at at time zone 'UTC')::date as recorded_on, e.amount, e.weight,
           coalesce(e.cpu_seconds, 0) as cpu_seconds,
           coalesce(e.gpu_seconds, 0) as gpu_seconds,
           coalesce(e.energy_kwh, 0) as energy_kwh)sql");
  sql += entries_of(composer, scope, batches);
  return sql + composer.piece(R"sql()
  insert into kpi_sum (counting_id, key, value, version_id, occurred_on, recorded_on,
                       amount, weight, entries, cpu_seconds, gpu_seconds, energy_kwh)
  select {}::bigint, '', '', version_id, occurred_on, recorded_on, sum(amount), sum(weight),
         count(*), sum(cpu_seconds), sum(gpu_seconds), sum(energy_kwh)
    from part
   group by version_id, occurred_on, recorded_on
  union all
  select {}::bigint, k.key, coalesce(p.subject ->> k.key, '') as value, version_id,
         occurred_on, recorded_on, sum(amount), sum(weight), count(*), 0, 0, 0
    from part p cross join jsonb_array_elements_text({}::jsonb) as k (key)
   group by k.key, value, version_id, occurred_on, recorded_on
  on conflict on constraint kpi_sum_pk do update
     set amount = kpi_sum.amount + excluded.amount,
         weight = kpi_sum.weight + excluded.weight,
         entries = kpi_sum.entries + excluded.entries,
         cpu_seconds = kpi_sum.cpu_seconds + excluded.cpu_seconds,
         gpu_seconds = kpi_sum.gpu_seconds + excluded.gpu_seconds,
         energy_kwh = kpi_sum.energy_kwh + excluded.energy_kwh)sql",
                              scope.counting_id, scope.counting_id,
                              nlohmann::json(keys).dump());
}

// --- Questions --------------------------------------------------------------------------

std::string days_of(Composer& composer, const KeptSums& kept) {
  std::string sql = composer.piece(" and occurred_on <= {}::date", text_of(kept.last));
  if (kept.first) {
    sql += composer.piece(" and occurred_on >= {}::date", text_of(*kept.first));
  }
  if (kept.recorded_before) {
    sql += composer.piece(" and recorded_on < {}::date", text_of(*kept.recorded_before));
  }
  return sql;
}

std::string times_of(Composer& composer, const SummedEntries& part) {
  std::string sql = composer.piece(" and e.occurred_at <= {}::timestamptz", part.until);
  if (part.from) sql += composer.piece(" and e.occurred_at >= {}::timestamptz", *part.from);
  return sql;
}

std::string sign_of(Composer& composer, const SummedEntries& part) {
  return part.is_taken_away ? composer.piece("-") : composer.piece("");
}

std::string value_of(Composer& composer, const std::string& key) {
  if (key.empty()) return composer.piece("''");
  return composer.piece("coalesce(e.subject ->> {}::text, '')", key);
}

std::string kept_part(Composer& composer, const LedgerQuestion& question) {
  std::string sql = composer.piece(R"sql(
    select value, version_id, occurred_on, amount, weight, entries, cpu_seconds,
           gpu_seconds, energy_kwh
      from kpi_sum
     where counting_id = {}::bigint and key = {}::text)sql",
                                   question.scope.counting_id, question.key);
  sql += days_of(composer, *question.kept);
  if (question.versions) {
    sql += composer.piece(" and version_id = any({}::bigint[])",
                          array_text(*question.versions));
  }
  return sql;
}

std::string entries_part(Composer& composer, const LedgerQuestion& question,
                         const SummedEntries& part) {
  const std::string sign = sign_of(composer, part);
  std::string sql = composer.piece(" select ") + value_of(composer, question.key);
  sql += composer.piece(R"sql( as value, coalesce(e.version_id, 0) as version_id,
           (e.occurred_at at time zone 'UTC')::date as occurred_on, )sql");
  sql += sign + composer.piece("e.amount as amount, ") + sign +
         composer.piece("e.weight as weight, ") + sign + composer.piece("1 as entries, ");
  if (question.key.empty()) {
    sql += sign + composer.piece("coalesce(e.cpu_seconds, 0) as cpu_seconds, ") + sign +
           composer.piece("coalesce(e.gpu_seconds, 0) as gpu_seconds, ") + sign +
           composer.piece("coalesce(e.energy_kwh, 0) as energy_kwh");
  } else {
    sql += composer.piece("0 as cpu_seconds, 0 as gpu_seconds, 0 as energy_kwh");
  }
  sql += entries_of(composer, question.scope, part.batches) + times_of(composer, part);
  if (question.versions) {
    sql += composer.piece(" and coalesce(e.version_id, 0) = any({}::bigint[])",
                          array_text(*question.versions));
  }
  return sql;
}

// Empty: the question has no part, and nothing is the answer.
std::string all_parts(Composer& composer, const LedgerQuestion& question) {
  std::string sql;
  if (question.kept) sql = kept_part(composer, question);
  for (const auto& part : question.entries) {
    if (!sql.empty()) sql += composer.piece(" union all ");
    sql += entries_part(composer, question, part);
  }
  return sql;
}

std::string links_part(Composer& composer, const LedgerQuestion& question,
                       const SummedEntries& part) {
  std::string sql = composer.piece(R"sql(
    select l.link, (e.occurred_at at time zone 'UTC')::date as occurred_on, )sql");
  sql += sign_of(composer, part) + composer.piece("e.weight as weight ");
  const std::string times = times_of(composer, part);
  return sql + links_of(composer, question.scope, part.batches, times);
}

}  // namespace

std::vector<std::int64_t> list_countings_behind(Transaction& tx) {
  std::vector<std::int64_t> countings;
  for (const Row& row : tx.exec(kListCountingsBehind)) {
    countings.push_back(at<std::int64_t>(row, "id"));
  }
  return countings;
}

std::optional<CountingRow> try_lock_counting(Transaction& tx, std::int64_t id) {
  const auto row = tx.exec_optional(kTryLockCounting, id);
  if (!row) return std::nullopt;
  return CountingRow{.id = at<std::int64_t>(*row, "id"),
                     .kpi_id = at<std::int64_t>(*row, "kpi_id"),
                     .rule = at<std::string>(*row, "rule"),
                     .rolled_up_to = at<std::int64_t>(*row, "rolled_up_to")};
}

void update_rolled_up_to(Transaction& tx, std::int64_t id, std::int64_t sequence) {
  tx.exec(kUpdateRolledUpTo, id, sequence);
}

std::optional<std::int64_t> find_end_of_batches(Transaction& tx, std::int64_t after,
                                                std::int64_t entries_max) {
  const Row row = tx.exec_one(kFindEndOfBatches, after, entries_max);
  return at<std::optional<std::int64_t>>(row, "last");
}

void add_to_ledger_sums(Transaction& tx, const LedgerScope& scope,
                        const std::vector<std::string>& keys, BatchRange batches) {
  Composer composer;
  std::string sql = sums_of_batches(composer, scope, keys, batches);
  tx.exec(std::move(composer).finish(std::move(sql)));
}

void add_to_ledger_links(Transaction& tx, const LedgerScope& scope, BatchRange batches,
                         std::int64_t links_max) {
  Composer composer;
  std::string sql = composer.piece(R"sql(
  with part as (
    select l.link, (e.occurred_at at time zone 'UTC')::date as occurred_on,
           (e.recorded_at at time zone 'UTC')::date as recorded_on,
           sum(e.weight) as weight)sql");
  sql += links_of(composer, scope, batches, "");
  sql += composer.piece(R"sql(
     group by l.link, occurred_on, recorded_on
    having sum(e.weight) <> 0
  ), known as (
    select occurred_on, link
      from kpi_link
     where counting_id = {}::bigint and occurred_on in (select occurred_on from part)
     group by occurred_on, link
  ), new as (
    select occurred_on, link, row_number() over (partition by occurred_on order by link) as n
      from part
     where not exists (select from known k
                        where k.occurred_on = part.occurred_on and k.link = part.link)
     group by occurred_on, link
    having sum(weight) > 0
  ), taken as (
    select occurred_on, link from known
    union all
    select n.occurred_on, n.link
      from new n
     where n.n <= {}::bigint - (select count(*) from known k
                                 where k.occurred_on = n.occurred_on)
  )
  insert into kpi_link (counting_id, link, occurred_on, recorded_on, weight)
  select {}::bigint, p.link, p.occurred_on, p.recorded_on, p.weight
    from part p join taken t on t.occurred_on = p.occurred_on and t.link = p.link
  on conflict on constraint kpi_link_pk do update
     set weight = kpi_link.weight + excluded.weight)sql",
                        scope.counting_id, links_max, scope.counting_id);
  tx.exec(std::move(composer).finish(std::move(sql)));
}

std::int64_t find_rolled_up_to(Transaction& tx, std::int64_t counting_id) {
  const auto row = tx.exec_optional(kFindRolledUpTo, counting_id);
  return row ? at<std::int64_t>(*row, "rolled_up_to") : 0;
}

std::vector<LedgerSumRow> sum_ledger(Transaction& tx, const LedgerQuestion& question) {
  Composer composer;
  const std::string parts = all_parts(composer, question);
  if (parts.empty()) return {};
  std::string sql = composer.piece(R"sql(
  select value, version_id, sum(amount) as amount, sum(weight)::bigint as weight,
         sum(entries)::bigint as entries, sum(cpu_seconds) as cpu_seconds,
         sum(gpu_seconds) as gpu_seconds, sum(energy_kwh) as energy_kwh
    from ()sql");
  sql += parts + composer.piece(R"sql() part
   group by value, version_id
  having sum(entries) <> 0
   order by value collate "C", version_id)sql");

  std::vector<LedgerSumRow> sums;
  for (const Row& row : tx.exec(std::move(composer).finish(std::move(sql)))) {
    sums.push_back({.value = at<std::string>(row, "value"),
                    .version_id = at<std::int64_t>(row, "version_id"),
                    .amount = at<std::string>(row, "amount"),
                    .weight = at<std::int64_t>(row, "weight"),
                    .entries = at<std::int64_t>(row, "entries"),
                    .cpu_seconds = at<std::string>(row, "cpu_seconds"),
                    .gpu_seconds = at<std::string>(row, "gpu_seconds"),
                    .energy_kwh = at<std::string>(row, "energy_kwh")});
  }
  return sums;
}

std::vector<LedgerDayRow> sum_ledger_by_day(Transaction& tx,
                                            const LedgerQuestion& question) {
  Composer composer;
  const std::string parts = all_parts(composer, question);
  if (parts.empty()) return {};
  std::string sql = composer.piece(R"sql(
  select value, occurred_on, sum(amount) as amount, sum(weight)::bigint as weight
    from ()sql");
  sql += parts + composer.piece(R"sql() part
   group by value, occurred_on
  having sum(entries) <> 0
   order by occurred_on, value collate "C")sql");

  std::vector<LedgerDayRow> days;
  for (const Row& row : tx.exec(std::move(composer).finish(std::move(sql)))) {
    days.push_back({.value = at<std::string>(row, "value"),
                    .day = day_of(row, "occurred_on"),
                    .amount = at<std::string>(row, "amount"),
                    .weight = at<std::int64_t>(row, "weight")});
  }
  return days;
}

std::vector<std::string> list_ledger_links(Transaction& tx, const LedgerQuestion& question,
                                           std::size_t limit) {
  Composer composer;
  std::string parts;
  if (question.kept) {
    parts = composer.piece(R"sql(
    select link, occurred_on, weight from kpi_link where counting_id = {}::bigint)sql",
                           question.scope.counting_id) +
            days_of(composer, *question.kept);
  }
  for (const auto& part : question.entries) {
    if (!parts.empty()) parts += composer.piece(" union all ");
    parts += links_part(composer, question, part);
  }
  if (parts.empty()) return {};
  std::string sql = composer.piece(R"sql(
  select link
    from (select link, occurred_on
            from ()sql");
  sql += parts + composer.piece(R"sql() part
           group by link, occurred_on
          having sum(weight) > 0) counting
   group by link
   order by max(occurred_on) desc, link collate "C"
   limit {}::bigint)sql",
                                limit);
  std::vector<std::string> links;
  for (const Row& row : tx.exec(std::move(composer).finish(std::move(sql)))) {
    links.push_back(at<std::string>(row, "link"));
  }
  return links;
}

void allow_long_statements(Transaction& tx) { tx.exec(kAllowLongStatements); }

}  // namespace mendel::schema
