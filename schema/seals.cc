#include "schema/seals.h"

#include "schema/transaction.h"

namespace mendel::schema {

namespace {

constexpr Statement kInsertSeal{"insert_seal", R"sql(
  insert into kpi_seal (digest, document, report_at, report_until, sequence, chain_hash,
                        sealed_at, sealed_by)
  values ($1, $2, $3, $4, $5, $6, $7, $8)
  on conflict on constraint kpi_seal_digest_is_unique do nothing
  returning id
)sql"};

constexpr Statement kInsertSealedValues{"insert_sealed_values", R"sql(
  insert into kpi_sealed_value (seal_id, kpi_id, value)
  select $1, kpi_id, value::numeric
    from unnest($2::bigint[], $3::text[]) as v (kpi_id, value)
)sql"};

constexpr Statement kFindSeal{"find_seal", R"sql(
  select id, digest, document, report_at, report_until, sequence, chain_hash, sealed_at,
         sealed_by
    from kpi_seal
   where digest = $1
)sql"};

constexpr Statement kListSealedValues{"list_sealed_values", R"sql(
  select kpi_id, value::text from kpi_sealed_value where seal_id = $1 order by kpi_id
)sql"};

constexpr Statement kListSeals{"list_seals", R"sql(
  select id, digest, '' as document, report_at, report_until, sequence, chain_hash,
         sealed_at, sealed_by
    from kpi_seal s
   where ($2::bigint is null or id < $2)
     and not exists (select from kpi_sealed_value v
                      where v.seal_id = s.id and v.kpi_id <> all($1::bigint[]))
   order by id desc
   limit $3
)sql"};

constexpr Statement kFindSealBefore{"find_seal_before", R"sql(
  select id, digest, '' as document, report_at, report_until, sequence, chain_hash,
         sealed_at, sealed_by
    from kpi_seal s
   where sealed_at < $2 and report_until <= $3
     and exists (select from kpi_sealed_value v
                  where v.seal_id = s.id and v.kpi_id = any($1::bigint[]))
   order by id desc
   limit 1
)sql"};

SealRow seal(const Row& row) {
  return {.id = at<std::int64_t>(row, "id"),
          .digest = at<Digest>(row, "digest"),
          .document = at<std::string>(row, "document"),
          .at = at<Timestamp>(row, "report_at"),
          .until = at<Timestamp>(row, "report_until"),
          .sequence = at<std::int64_t>(row, "sequence"),
          .chain_hash = at<Digest>(row, "chain_hash"),
          .sealed_at = at<Timestamp>(row, "sealed_at"),
          .sealed_by = at<std::string>(row, "sealed_by")};
}

}  // namespace

bool insert_seal(Transaction& tx, const SealRow& seal,
                 const std::vector<SealedValueRow>& values) {
  const auto row =
      tx.exec_optional(kInsertSeal, seal.digest, seal.document, seal.at, seal.until,
                       seal.sequence, seal.chain_hash, seal.sealed_at, seal.sealed_by);
  if (!row) return false;
  tx.exec(kInsertSealedValues, at<std::int64_t>(*row, "id"),
          array_of(values, &SealedValueRow::kpi_id),
          array_of(values, &SealedValueRow::value));
  return true;
}

std::optional<SealRow> find_seal(Transaction& tx, const Digest& digest) {
  const auto row = tx.exec_optional(kFindSeal, digest);
  if (!row) return std::nullopt;
  return seal(*row);
}

std::vector<SealedValueRow> list_sealed_values(Transaction& tx, std::int64_t seal_id) {
  std::vector<SealedValueRow> values;
  for (const Row& row : tx.exec(kListSealedValues, seal_id)) {
    values.push_back({.kpi_id = at<std::int64_t>(row, "kpi_id"),
                      .value = at<std::string>(row, "value")});
  }
  return values;
}

std::vector<SealRow> list_seals(Transaction& tx, const std::vector<std::int64_t>& kpi_ids,
                                std::optional<std::int64_t> before, std::int64_t limit) {
  std::vector<SealRow> seals;
  for (const Row& row : tx.exec(kListSeals, array_of(kpi_ids), before, limit)) {
    seals.push_back(seal(row));
  }
  return seals;
}

std::optional<SealRow> find_seal_before(Transaction& tx,
                                        const std::vector<std::int64_t>& kpi_ids,
                                        Timestamp sealed_before, Timestamp until) {
  const auto row =
      tx.exec_optional(kFindSealBefore, array_of(kpi_ids), sealed_before, until);
  if (!row) return std::nullopt;
  return seal(*row);
}

}  // namespace mendel::schema
