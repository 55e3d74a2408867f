#include "registry/services/ledger/seals.h"

#include <algorithm>
#include <cstddef>
#include <span>

#include "schema/seals.h"
#include "storage/base/error.h"
#include "storage/object_keys.h"

namespace mendel::registry {

namespace {

Seal seal_of(const schema::SealRow& row) {
  return {.id = row.id,
          .digest = row.digest,
          .document = row.document,
          .at = row.at,
          .until = row.until,
          .sequence = row.sequence,
          .chain_hash = row.chain_hash,
          .sealed_at = row.sealed_at,
          .sealed_by = row.sealed_by};
}

}  // namespace

// The object and the anchor come first: a row says that both are there.
Seal SealService::seal(const Caller& caller, const Report& report,
                       const std::string& document) {
  if (report.kpis.empty()) {
    throw Error(ErrorCode::not_found, "there is no KPI that you may read: nothing to seal");
  }
  const Digest digest = Digest::of(document);
  const auto writer = objects_.create();
  writer->append(as_bytes(document));
  writer->commit(storage::report_key(digest));
  anchor_(report.chain);

  const schema::SealRow row{.id = 0,
                            .digest = digest,
                            .document = document,
                            .at = report.at,
                            .until = report.until,
                            .sequence = report.chain.sequence,
                            .chain_hash = report.chain.hash,
                            .sealed_at = clock_.now(),
                            .sealed_by = caller.name};
  std::vector<schema::SealedValueRow> values;
  for (const KpiReport& kpi : report.kpis) {
    values.push_back({kpi.definition.counting.kpi_id, kpi.value.text()});
  }
  return database_.transact("seal a report", [&](schema::Transaction& tx) {
    schema::insert_seal(tx, row, values);
    return seal_of(schema::find_seal(tx, digest).value());
  });
}

Seal SealService::get(const Caller& caller, const Digest& digest) {
  if (auto seal = find(caller, digest)) return *std::move(seal);
  throw Error(ErrorCode::not_found, "no sealed report " + digest.to_string());
}

std::optional<Seal> SealService::find(const Caller& caller, const Digest& digest) {
  const auto readable = readable_kpis(caller);
  return database_.read(
      "find a sealed report", [&](schema::Transaction& tx) -> std::optional<Seal> {
        const auto row = schema::find_seal(tx, digest);
        if (!row) return std::nullopt;
        for (const auto& value : schema::list_sealed_values(tx, row->id)) {
          if (std::ranges::find(readable, value.kpi_id) == readable.end()) {
            return std::nullopt;
          }
        }
        return seal_of(*row);
      });
}

Page<Seal> SealService::list(const Caller& caller, const PageRequest& page) {
  const auto readable = readable_kpis(caller);
  auto rows = database_.read("list sealed reports", [&](schema::Transaction& tx) {
    return schema::list_seals(tx, readable, id_after(page),
                              static_cast<std::int64_t>(page.limit) + 1);
  });
  return page_of<Seal>(std::move(rows), page, seal_of,
                       [](const schema::SealRow& row) { return std::to_string(row.id); });
}

std::optional<std::string> SealService::stored_copy(const Digest& digest) {
  const auto key = storage::report_key(digest);
  const auto found = objects_.find(key);
  if (!found) return std::nullopt;
  std::string document(found->size_bytes, '\0');
  const auto size = objects_.read(key, 0, std::as_writable_bytes(std::span(document)));
  document.resize(size);
  return document;
}

std::optional<SealService::Previous> SealService::find_before(const Report& report) {
  std::vector<std::int64_t> kpis;
  for (const KpiReport& kpi : report.kpis) kpis.push_back(kpi.definition.counting.kpi_id);
  return database_.read(
      "find the report before", [&](schema::Transaction& tx) -> std::optional<Previous> {
        const auto row = schema::find_seal_before(tx, kpis, report.at, report.until);
        if (!row) return std::nullopt;
        Previous previous{
            .report = {.at = row->at, .until = row->until, .digest = row->digest},
            .values = {}};
        for (const auto& value : schema::list_sealed_values(tx, row->id)) {
          previous.values.emplace(value.kpi_id, Amount::parse(value.value));
        }
        return previous;
      });
}

std::vector<std::int64_t> SealService::readable_kpis(const Caller& caller) {
  std::vector<std::int64_t> kpis;
  for (const auto& definition : definitions_.list_at(caller, clock_.now())) {
    kpis.push_back(definition.counting.kpi_id);
  }
  return kpis;
}

}  // namespace mendel::registry
