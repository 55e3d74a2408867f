#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "schema/database.h"
#include "storage/base/clock.h"

// KPIs and the revisions of their definitions: one function per statement.
namespace mendel::schema {

struct KpiRow {
  std::int64_t id = 0;
  std::string name;
  std::int32_t revision = 0;
};

// nullopt: the name is taken, perhaps in another spelling.
std::optional<std::int64_t> insert_kpi(Transaction& tx, const std::string& name,
                                       Timestamp at);
std::optional<KpiRow> find_kpi(Transaction& tx, const std::string& folded);
// Definitions of a KPI are made by one transaction at a time.
std::optional<KpiRow> lock_kpi(Transaction& tx, const std::string& folded);
void update_kpi_revision(Transaction& tx, std::int64_t id, std::int32_t revision);

// The id of the KPI's counting with this rule, which is made where there is none.
std::int64_t upsert_kpi_counting(Transaction& tx, std::int64_t kpi_id,
                                 const std::string& rule);

// Nobody closes the book until the transaction ends; the time until which it is closed.
Timestamp hold_book(Transaction& tx);

struct KpiDefinitionRow {
  std::int64_t kpi_id = 0;
  std::string name;
  std::int32_t revision = 0;
  std::string document;  // canonical JSON
  std::int64_t counting_id = 0;
  std::string rule;
  Timestamp defined_at;
  std::string defined_by;
};

void insert_kpi_definition(Transaction& tx, const KpiDefinitionRow& row);
std::optional<KpiDefinitionRow> find_newest_kpi_definition(Transaction& tx,
                                                           const std::string& folded);
std::vector<KpiDefinitionRow> list_newest_kpi_definitions(Transaction& tx);
// Newest first.
std::vector<KpiDefinitionRow> list_kpi_revisions(Transaction& tx, std::int64_t kpi_id);

// Of each KPI the newest revision that was there at a time; the first one of those that
// were made later.
std::vector<KpiDefinitionRow> list_kpi_definitions_at(Transaction& tx, Timestamp at);

}  // namespace mendel::schema
