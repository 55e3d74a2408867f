#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "schema/database.h"
#include "storage/base/clock.h"
#include "storage/base/digest.h"

namespace mendel::schema {

// Reports that were sealed. Rows are added, never changed.

struct SealRow {
  std::int64_t id = 0;
  Digest digest;  // of the document
  std::string document;
  Timestamp at;
  Timestamp until;
  std::int64_t sequence = 0;  // the end of the chain that it follows from
  Digest chain_hash;
  Timestamp sealed_at;
  std::string sealed_by;
};

struct SealedValueRow {
  std::int64_t kpi_id = 0;
  std::string value;
};

// Whether it is new: false where there is one of this digest. The id is given by the
// database.
bool insert_seal(Transaction& tx, const SealRow& seal,
                 const std::vector<SealedValueRow>& values);

std::optional<SealRow> find_seal(Transaction& tx, const Digest& digest);
std::vector<SealedValueRow> list_sealed_values(Transaction& tx, std::int64_t seal_id);

// Without their documents, newest first, those with ids below before: of them alone that
// have no KPI but these.
std::vector<SealRow> list_seals(Transaction& tx, const std::vector<std::int64_t>& kpi_ids,
                                std::optional<std::int64_t> before, std::int64_t limit);

// The newest one, without its document, that was sealed before a time, goes no further than
// until, and has one of these KPIs.
std::optional<SealRow> find_seal_before(Transaction& tx,
                                        const std::vector<std::int64_t>& kpi_ids,
                                        Timestamp sealed_before, Timestamp until);

}  // namespace mendel::schema
