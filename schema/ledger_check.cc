#include "schema/ledger_check.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "schema/composer.h"
#include "schema/ledger_sql.h"
#include "schema/transaction.h"

namespace mendel::schema {

namespace {

constexpr Statement kListSpelledEntries{"list_spelled_entries", R"sql(
  select e.batch_id, coalesce(k.name, '') as kpi, coalesce(n.name, '') as ns, e.event_id,
         e.occurred_at,
         case when e.version_id is null then ''
              else coalesce(an.name || '/' || a.name || ':' || v.number, '?') end as model,
         e.value, e.amount, e.weight, coalesce(e.corrects, '') as corrects,
         coalesce(e.reason, '') as reason, coalesce(e.subject, '{}')::text as subject,
         coalesce(to_jsonb(e.evidence), '[]')::text as evidence, e.cpu_seconds,
         e.gpu_seconds, e.energy_kwh, e.hash
    from kpi_batch b
         join kpi_entry e on e.batch_id = b.id
         left join kpi k on k.id = e.kpi_id
         left join namespace n on n.id = e.namespace_id
         left join version v on v.id = e.version_id
         left join artifact a on a.id = v.artifact_id
         left join namespace an on an.id = a.namespace_id
   where b.sequence > $1 and b.sequence <= $2
   order by b.sequence, e.position
)sql"};

constexpr Statement kListEntriesWithoutBatch{"list_entries_without_batch", R"sql(
  select coalesce(k.name, '') as kpi, coalesce(n.name, '') as ns, e.event_id, e.batch_id,
         0 as sequence
    from kpi_entry e
         left join kpi k on k.id = e.kpi_id
         left join namespace n on n.id = e.namespace_id
   where not exists (select from kpi_batch b where b.id = e.batch_id)
   order by e.batch_id, e.position
   limit $1
)sql"};

constexpr Statement kListStrayCorrections{"list_stray_corrections", R"sql(
  select coalesce(k.name, '') as kpi, coalesce(n.name, '') as ns, c.event_id, c.batch_id,
         b.sequence
    from kpi_entry c
         join kpi_batch b on b.id = c.batch_id
         left join kpi_entry e
           on e.kpi_id = c.kpi_id and e.namespace_id = c.namespace_id
          and e.event_id = c.corrects
         left join kpi k on k.id = c.kpi_id
         left join namespace n on n.id = c.namespace_id
   where c.corrects is not null and b.sequence is not null
     and (e.event_id is null or e.corrects is not null
          or e.occurred_at <> c.occurred_at or e.version_id is distinct from c.version_id
          or coalesce(e.subject, '{}') <> coalesce(c.subject, '{}'))
   order by b.sequence, c.position
   limit $1
)sql"};

// Corrections of one event in one batch are taken together: their order in it is not that
// in which they were applied.
constexpr Statement kListWrongCorrections{"list_wrong_corrections", R"sql(
  with line as (
    select c.kpi_id, c.namespace_id, c.corrects as target, c.event_id, c.batch_id,
           b.sequence, c.value, c.amount, c.weight
      from kpi_entry c join kpi_batch b on b.id = c.batch_id
     where c.corrects is not null and b.sequence is not null
  ), event as (
    select t.kpi_id, t.namespace_id, t.target, e.value, e.amount, e.weight, b.sequence
      from (select distinct kpi_id, namespace_id, target from line) t
           join kpi_entry e
             on e.kpi_id = t.kpi_id and e.namespace_id = t.namespace_id
            and e.event_id = t.target
           join kpi_batch b on b.id = e.batch_id
  ), step as (
    select kpi_id, namespace_id, target, sequence, sum(amount) as amount,
           sum(weight) as weight, array_agg(value) as values, max(event_id) as event_id,
           max(batch_id) as batch_id
      from (select kpi_id, namespace_id, target, event_id, batch_id, sequence, value,
                   amount, weight
              from line
             union all
            select kpi_id, namespace_id, target, null, null, sequence, value, amount, weight
              from event) s
     group by kpi_id, namespace_id, target, sequence
  ), running as (
    select kpi_id, namespace_id, event_id, batch_id, sequence, values,
           sum(amount) over state as amount, sum(weight) over state as weight
      from step
    window state as (partition by kpi_id, namespace_id, target order by sequence)
  )
  select coalesce(k.name, '') as kpi, coalesce(n.name, '') as ns, r.event_id, r.batch_id,
         r.sequence
    from running r
         left join kpi k on k.id = r.kpi_id
         left join namespace n on n.id = r.namespace_id
   where r.event_id is not null
     and (r.amount <> all (r.values) or r.weight <> (r.amount <> 0)::integer)
   order by r.sequence
   limit $1
)sql"};

constexpr Statement kListCountings{"list_countings", R"sql(
  select id, kpi_id, rule, rolled_up_to from kpi_counting order by id
)sql"};

constexpr Statement kFindKpiName{"find_kpi_name", R"sql(
  select name from kpi where id = $1
)sql"};

std::vector<EntryPlaceRow> places(const Rows& rows) {
  std::vector<EntryPlaceRow> places;
  for (const Row& row : rows) {
    places.push_back({.kpi = at<std::string>(row, "kpi"),
                      .ns = at<std::string>(row, "ns"),
                      .event_id = at<std::string>(row, "event_id"),
                      .batch_id = at<std::int64_t>(row, "batch_id"),
                      .sequence = at<std::int64_t>(row, "sequence")});
  }
  return places;
}

}  // namespace

std::vector<SpelledEntryRow> list_spelled_entries(Transaction& tx, BatchRange batches) {
  std::vector<SpelledEntryRow> entries;
  for (const Row& row : tx.exec(kListSpelledEntries, batches.after, batches.last)) {
    entries.push_back({.batch_id = at<std::int64_t>(row, "batch_id"),
                       .kpi = at<std::string>(row, "kpi"),
                       .ns = at<std::string>(row, "ns"),
                       .event_id = at<std::string>(row, "event_id"),
                       .occurred_at = at<Timestamp>(row, "occurred_at"),
                       .model = at<std::string>(row, "model"),
                       .value = at<std::string>(row, "value"),
                       .amount = at<std::string>(row, "amount"),
                       .weight = at<std::int32_t>(row, "weight"),
                       .corrects = at<std::string>(row, "corrects"),
                       .reason = at<std::string>(row, "reason"),
                       .subject = at<std::string>(row, "subject"),
                       .evidence = at<std::string>(row, "evidence"),
                       .cpu_seconds = at<std::optional<std::string>>(row, "cpu_seconds"),
                       .gpu_seconds = at<std::optional<std::string>>(row, "gpu_seconds"),
                       .energy_kwh = at<std::optional<std::string>>(row, "energy_kwh"),
                       .hash = at<Digest>(row, "hash")});
  }
  return entries;
}

std::vector<EntryPlaceRow> list_entries_without_batch(Transaction& tx, std::int64_t limit) {
  return places(tx.exec(kListEntriesWithoutBatch, limit));
}

std::vector<EntryPlaceRow> list_stray_corrections(Transaction& tx, std::int64_t limit) {
  return places(tx.exec(kListStrayCorrections, limit));
}

std::vector<EntryPlaceRow> list_wrong_corrections(Transaction& tx, std::int64_t limit) {
  return places(tx.exec(kListWrongCorrections, limit));
}

std::vector<CountingRow> list_countings(Transaction& tx) {
  std::vector<CountingRow> countings;
  for (const Row& row : tx.exec(kListCountings)) {
    countings.push_back({.id = at<std::int64_t>(row, "id"),
                         .kpi_id = at<std::int64_t>(row, "kpi_id"),
                         .rule = at<std::string>(row, "rule"),
                         .rolled_up_to = at<std::int64_t>(row, "rolled_up_to")});
  }
  return countings;
}

std::string find_kpi_name(Transaction& tx, std::int64_t kpi_id) {
  const auto row = tx.exec_optional(kFindKpiName, kpi_id);
  return row ? at<std::string>(*row, "name") : "";
}

std::vector<WrongSumRow> list_wrong_sums(Transaction& tx, const LedgerScope& scope,
                                         const std::vector<std::string>& keys,
                                         std::int64_t rolled_up_to, std::int64_t limit) {
  Composer composer;
  std::string sql = composer.piece(R"sql(
  with part as (
    select e.subject, coalesce(e.version_id, 0) as version_id,
           (e.occurred_at at time zone 'UTC')::date as occurred_on,
           (b.recorded_at at time zone 'UTC')::date as recorded_on, e.amount, e.weight,
           coalesce(e.cpu_seconds, 0) as cpu_seconds,
           coalesce(e.gpu_seconds, 0) as gpu_seconds,
           coalesce(e.energy_kwh, 0) as energy_kwh)sql");
  sql += entries_of(composer, scope, {.after = 0, .last = rolled_up_to});
  sql += composer.piece(R"sql(), counted as (
    select k.key, coalesce(p.subject ->> k.key, '') as value, version_id, occurred_on,
           recorded_on, sum(amount) as amount, sum(weight) as weight, count(*) as entries,
           sum(case when k.key = '' then cpu_seconds else 0 end) as cpu_seconds,
           sum(case when k.key = '' then gpu_seconds else 0 end) as gpu_seconds,
           sum(case when k.key = '' then energy_kwh else 0 end) as energy_kwh
      from part p
           cross join (select '' as key
                       union all
                       select jsonb_array_elements_text({}::jsonb)) k
     group by k.key, 2, version_id, occurred_on, recorded_on
  ), kept as (
    select key, value, version_id, occurred_on, recorded_on, amount, weight, entries,
           cpu_seconds, gpu_seconds, energy_kwh
      from kpi_sum
     where counting_id = {}::bigint
  )
  select key, value, occurred_on
    from counted full join kept using (key, value, version_id, occurred_on, recorded_on)
   where counted.entries is null or kept.entries is null
      or (counted.amount, counted.weight, counted.entries, counted.cpu_seconds,
          counted.gpu_seconds, counted.energy_kwh)
         <> (kept.amount, kept.weight, kept.entries, kept.cpu_seconds, kept.gpu_seconds,
             kept.energy_kwh)
   order by occurred_on, key, value
   limit {}::bigint)sql",
                        nlohmann::json(keys).dump(), scope.counting_id, limit);
  std::vector<WrongSumRow> wrong;
  for (const Row& row : tx.exec(std::move(composer).finish(std::move(sql)))) {
    wrong.push_back({.key = at<std::string>(row, "key"),
                     .value = at<std::string>(row, "value"),
                     .occurred_on = at<std::string>(row, "occurred_on")});
  }
  return wrong;
}

std::vector<std::string> list_wrong_links(Transaction& tx, const LedgerScope& scope,
                                          std::int64_t rolled_up_to, std::int64_t limit) {
  Composer composer;
  std::string sql = composer.piece(R"sql(
  with counted as (
    select l.link, (e.occurred_at at time zone 'UTC')::date as occurred_on,
           (e.recorded_at at time zone 'UTC')::date as recorded_on,
           sum(e.weight) as weight)sql");
  sql += links_of(composer, scope, {.after = 0, .last = rolled_up_to}, "");
  sql += composer.piece(R"sql(
     group by l.link, occurred_on, recorded_on
  )
  select k.link
    from kpi_link k left join counted c using (link, occurred_on, recorded_on)
   where k.counting_id = {}::bigint and k.weight is distinct from c.weight
   order by k.link
   limit {}::bigint)sql",
                        scope.counting_id, limit);
  std::vector<std::string> wrong;
  for (const Row& row : tx.exec(std::move(composer).finish(std::move(sql)))) {
    wrong.push_back(at<std::string>(row, "link"));
  }
  return wrong;
}

}  // namespace mendel::schema
