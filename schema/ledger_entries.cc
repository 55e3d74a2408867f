#include "schema/ledger_entries.h"

#include "schema/transaction.h"

namespace mendel::schema {

namespace {

constexpr Statement kNextKpiBatch{"next_kpi_batch", R"sql(
  select nextval('kpi_batch_id') as id
)sql"};

// An array of arrays does not come apart into rows of arrays: links travel as the text of
// an array.
constexpr Statement kInsertLedgerEntries{"insert_ledger_entries", R"sql(
  insert into kpi_entry (batch_id, position, kpi_id, namespace_id, event_id, occurred_at,
                         version_id, value, amount, weight, corrects, reason, subject,
                         evidence, cpu_seconds, gpu_seconds, energy_kwh, hash)
  select $1::bigint, position, kpi_id, namespace_id, event_id, occurred_at, version_id,
         value::numeric, value::numeric - previous::numeric, weight, corrects, reason,
         subject::jsonb, evidence::text[], cpu_seconds::numeric, gpu_seconds::numeric,
         energy_kwh::numeric, hash
    from unnest($2::integer[], $3::bigint[], $4::bigint[], $5::text[], $6::timestamptz[],
                $7::bigint[], $8::text[], $9::text[], $10::integer[], $11::text[],
                $12::text[], $13::text[], $14::text[], $15::text[], $16::text[],
                $17::text[], $18::bytea[])
         as new (position, kpi_id, namespace_id, event_id, occurred_at, version_id, value,
                 previous, weight, corrects, reason, subject, evidence, cpu_seconds,
                 gpu_seconds, energy_kwh, hash)
  on conflict on constraint kpi_entry_is_unique do nothing
  returning position
)sql"};

constexpr Statement kInsertKpiBatch{"insert_kpi_batch", R"sql(
  insert into kpi_batch (id, entry_count, digest, received_at, principal_id)
  values ($1, $2, $3, $4, $5)
)sql"};

// One look into the index for each key, however many there are, and however large the table
// was when the plan was made.
constexpr Statement kFindLedgerEntries{"find_ledger_entries", R"sql(
  select k.ordinality - 1 as index, e.version_id, e.hash
    from unnest($1::bigint[], $2::bigint[], $3::text[]) with ordinality
         as k (kpi_id, namespace_id, event_id, ordinality)
         cross join lateral (
           select version_id, hash from kpi_entry
            where kpi_id = k.kpi_id and namespace_id = k.namespace_id
              and event_id = k.event_id
            limit 1) e
)sql"};

constexpr Statement kLockCorrectedEntries{"lock_corrected_entries", R"sql(
  select k.ordinality - 1 as index, e.corrects is not null as is_correction,
         e.occurred_at, e.version_id, e.subject::text as subject
    from unnest($1::bigint[], $2::bigint[], $3::text[]) with ordinality
         as k (kpi_id, namespace_id, event_id, ordinality)
         cross join lateral (
           select corrects, occurred_at, version_id, subject from kpi_entry
            where kpi_id = k.kpi_id and namespace_id = k.namespace_id
              and event_id = k.event_id
            limit 1
              for no key update) e
)sql"};

constexpr Statement kListCorrectedValues{"list_corrected_values", R"sql(
  select e.amount + c.amount as value
    from unnest($1::bigint[], $2::bigint[], $3::text[]) with ordinality
         as k (kpi_id, namespace_id, event_id, ordinality)
         cross join lateral (
           select amount from kpi_entry
            where kpi_id = k.kpi_id and namespace_id = k.namespace_id
              and event_id = k.event_id
            limit 1) e
         cross join lateral (
           select coalesce(sum(amount), 0) as amount from kpi_entry
            where kpi_id = k.kpi_id and namespace_id = k.namespace_id
              and corrects = k.event_id) c
   order by k.ordinality
)sql"};

#define MENDEL_LEDGER_MODELS                                                         \
  "select v.id as version_id, n.name as namespace_name, a.name, v.number, v.digest " \
  "from version v join artifact a on a.id = v.artifact_id "                          \
  "join namespace n on n.id = a.namespace_id where a.kind = 'model' and "

constexpr Statement kFindLedgerModel{
    "find_ledger_model",
    MENDEL_LEDGER_MODELS "n.folded_name = $1 and a.folded_name = $2 and v.number = $3"};

constexpr Statement kFindLedgerModelByDigest{
    "find_ledger_model_by_digest", MENDEL_LEDGER_MODELS
    "n.folded_name = $1 and a.folded_name = $2 and v.digest = $3 "
    "order by v.state = 'active' desc, v.state <> 'deleted' desc, v.number desc limit 1"};

constexpr Statement kFindLedgerModelById{"find_ledger_model_by_id",
                                         MENDEL_LEDGER_MODELS "v.id = $1"};

#undef MENDEL_LEDGER_MODELS

constexpr Statement kListLedgerEntries{"list_ledger_entries", R"sql(
  select b.sequence, e.position, b.recorded_at, e.hash, p.name as principal, k.name as kpi,
         n.name as ns, e.event_id, e.occurred_at, mn.name as model_namespace,
         a.name as model_name, v.number as model_number, e.value, e.corrects, e.reason,
         e.subject::text as subject, to_json(e.evidence)::text as evidence, e.cpu_seconds,
         e.gpu_seconds, e.energy_kwh
    from kpi_batch b
         join kpi_entry e on e.batch_id = b.id
         join kpi k on k.id = e.kpi_id
         join namespace n on n.id = e.namespace_id
         join principal p on p.id = b.principal_id
         left join membership m on m.namespace_id = n.id and m.principal_id = $1
         left join version v on v.id = e.version_id
         left join artifact a on a.id = v.artifact_id
         left join namespace mn on mn.id = a.namespace_id
   where ($2::boolean or n.visibility = 'public'
          or (n.visibility = 'internal' and $3::boolean) or m.role is not null)
     and ($4::bigint is null or n.id = $4)
     and ($5::text is null or n.folded_name = $5)
     and e.kpi_id = any ($6::bigint[])
     and b.sequence >= $7
     and (b.sequence, e.position) > ($7::bigint, $8::integer)
   order by b.sequence, e.position
   limit $9
)sql"};

// "{a,b}" as PostgreSQL reads an array: every element in quotes.
std::optional<std::string> array_text(const std::vector<std::string>& elements) {
  if (elements.empty()) return std::nullopt;
  std::string text = "{";
  for (const std::string& element : elements) {
    if (text.size() > 1) text += ',';
    text += '"';
    for (const char c : element) {
      if (c == '"' || c == '\\') text += '\\';
      text += c;
    }
    text += '"';
  }
  return text + "}";
}

template <class Run>
auto with_keys(const std::vector<LedgerKey>& keys, Run run) {
  return run(array_of(keys, &LedgerKey::kpi_id), array_of(keys, &LedgerKey::namespace_id),
             array_of(keys, &LedgerKey::event_id));
}

std::optional<LedgerModelRow> model(const std::optional<Row>& row) {
  if (!row) return std::nullopt;
  return LedgerModelRow{.version_id = at<std::int64_t>(*row, "version_id"),
                        .namespace_name = at<std::string>(*row, "namespace_name"),
                        .name = at<std::string>(*row, "name"),
                        .number = at<std::int32_t>(*row, "number"),
                        .digest = at<Digest>(*row, "digest")};
}

LedgerEntryRow entry(const Row& row) {
  using Text = std::optional<std::string>;
  return {.sequence = at<std::int64_t>(row, "sequence"),
          .position = at<std::int32_t>(row, "position"),
          .recorded_at = at<Timestamp>(row, "recorded_at"),
          .hash = at<Digest>(row, "hash"),
          .principal = at<std::string>(row, "principal"),
          .kpi = at<std::string>(row, "kpi"),
          .ns = at<std::string>(row, "ns"),
          .event_id = at<std::string>(row, "event_id"),
          .occurred_at = at<Timestamp>(row, "occurred_at"),
          .model_namespace = at<Text>(row, "model_namespace"),
          .model_name = at<Text>(row, "model_name"),
          .model_number = at<std::optional<std::int32_t>>(row, "model_number"),
          .value = at<std::string>(row, "value"),
          .corrects = at<Text>(row, "corrects"),
          .reason = at<Text>(row, "reason"),
          .subject = at<Text>(row, "subject"),
          .evidence = at<Text>(row, "evidence"),
          .cpu_seconds = at<Text>(row, "cpu_seconds"),
          .gpu_seconds = at<Text>(row, "gpu_seconds"),
          .energy_kwh = at<Text>(row, "energy_kwh")};
}

}  // namespace

std::int64_t next_kpi_batch(Transaction& tx) {
  return at<std::int64_t>(tx.exec_one(kNextKpiBatch), "id");
}

std::vector<std::int32_t> insert_ledger_entries(
    Transaction& tx, std::int64_t batch_id, const std::vector<NewLedgerEntry>& entries) {
  using Entry = NewLedgerEntry;
  const auto links = [](const Entry& entry) { return array_text(entry.evidence); };
  const auto kpi = [](const Entry& entry) { return entry.key.kpi_id; };
  const auto ns = [](const Entry& entry) { return entry.key.namespace_id; };
  const auto id = [](const Entry& entry) -> const std::string& {
    return entry.key.event_id;
  };
  std::vector<std::int32_t> positions;
  for (const Row& row : tx.exec(
           kInsertLedgerEntries, batch_id, array_of(entries, &Entry::position),
           array_of(entries, kpi), array_of(entries, ns), array_of(entries, id),
           array_of(entries, &Entry::occurred_at), array_of(entries, &Entry::version_id),
           array_of(entries, &Entry::value), array_of(entries, &Entry::previous),
           array_of(entries, &Entry::weight), array_of(entries, &Entry::corrects),
           array_of(entries, &Entry::reason), array_of(entries, &Entry::subject),
           array_of(entries, links), array_of(entries, &Entry::cpu_seconds),
           array_of(entries, &Entry::gpu_seconds), array_of(entries, &Entry::energy_kwh),
           array_of(entries, &Entry::hash))) {
    positions.push_back(at<std::int32_t>(row, "position"));
  }
  return positions;
}

void insert_kpi_batch(Transaction& tx, const NewKpiBatch& batch) {
  tx.exec(kInsertKpiBatch, batch.id, batch.entry_count, batch.digest, batch.received_at,
          batch.principal_id);
}

std::vector<KnownLedgerEntry> find_ledger_entries(Transaction& tx,
                                                  const std::vector<LedgerKey>& keys) {
  std::vector<KnownLedgerEntry> known;
  const auto run = [&](const auto&... arrays) {
    return tx.exec(kFindLedgerEntries, arrays...);
  };
  for (const Row& row : with_keys(keys, run)) {
    known.push_back({.index = at<std::int64_t>(row, "index"),
                     .version_id = at<std::optional<std::int64_t>>(row, "version_id"),
                     .hash = at<Digest>(row, "hash")});
  }
  return known;
}

std::vector<CorrectedLedgerEntry> lock_corrected_entries(
    Transaction& tx, const std::vector<LedgerKey>& keys) {
  std::vector<CorrectedLedgerEntry> locked;
  const auto run = [&](const auto&... arrays) {
    return tx.exec(kLockCorrectedEntries, arrays...);
  };
  for (const Row& row : with_keys(keys, run)) {
    locked.push_back({.index = at<std::int64_t>(row, "index"),
                      .is_correction = at<bool>(row, "is_correction"),
                      .occurred_at = at<Timestamp>(row, "occurred_at"),
                      .version_id = at<std::optional<std::int64_t>>(row, "version_id"),
                      .subject = at<std::optional<std::string>>(row, "subject")});
  }
  return locked;
}

std::vector<std::string> list_corrected_values(Transaction& tx,
                                               const std::vector<LedgerKey>& keys) {
  std::vector<std::string> values;
  const auto run = [&](const auto&... arrays) {
    return tx.exec(kListCorrectedValues, arrays...);
  };
  for (const Row& row : with_keys(keys, run)) {
    values.push_back(at<std::string>(row, "value"));
  }
  return values;
}

std::optional<LedgerModelRow> find_ledger_model(Transaction& tx,
                                                const std::string& folded_namespace,
                                                const std::string& folded_name,
                                                std::int32_t number) {
  return model(tx.exec_optional(kFindLedgerModel, folded_namespace, folded_name, number));
}

std::optional<LedgerModelRow> find_ledger_model_by_digest(
    Transaction& tx, const std::string& folded_namespace, const std::string& folded_name,
    const Digest& digest) {
  return model(
      tx.exec_optional(kFindLedgerModelByDigest, folded_namespace, folded_name, digest));
}

std::optional<LedgerModelRow> find_ledger_model_by_id(Transaction& tx,
                                                      std::int64_t version_id) {
  return model(tx.exec_optional(kFindLedgerModelById, version_id));
}

std::vector<LedgerEntryRow> list_ledger_entries(Transaction& tx,
                                                const NamespaceViewer& viewer,
                                                const LedgerEntryFilter& filter) {
  std::vector<LedgerEntryRow> entries;
  for (const Row& row :
       tx.exec(kListLedgerEntries, viewer.member, viewer.sees_all, viewer.sees_internal,
               viewer.only_namespace, filter.folded_namespace, array_of(filter.kpi_ids),
               filter.after_sequence, filter.after_position, filter.limit)) {
    entries.push_back(entry(row));
  }
  return entries;
}

}  // namespace mendel::schema
