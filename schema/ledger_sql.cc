#include "schema/ledger_sql.h"

#include <nlohmann/json.hpp>

namespace mendel::schema {

std::string array_text(const std::vector<std::int64_t>& numbers) {
  std::string text;
  for (const auto number : numbers) {
    text += text.empty() ? "{" : ",";
    text += std::to_string(number);
  }
  return text.empty() ? "{}" : text + "}";
}

std::string entries_of(Composer& composer, const LedgerScope& scope, BatchRange batches) {
  std::string sql = composer.piece(R"sql(
      from kpi_batch b join kpi_entry e on e.batch_id = b.id
     where b.sequence > {}::bigint and b.sequence <= {}::bigint
       and e.kpi_id = {}::bigint)sql",
                                   batches.after, batches.last, scope.kpi_id);
  if (!scope.namespaces.empty()) {
    sql += composer.piece(" and e.namespace_id = any({}::bigint[])",
                          array_text(scope.namespaces));
  }
  for (const auto& [key, values] : scope.filter) {
    sql += composer.piece(" and {}::jsonb ? (e.subject ->> {}::text)",
                          nlohmann::json(values).dump(), key);
  }
  return sql;
}

std::string links_of(Composer& composer, const LedgerScope& scope, BatchRange batches,
                     const std::string& and_where) {
  std::string sql = composer.piece(" from (select e.*, b.recorded_at ");
  sql += entries_of(composer, scope, batches);
  return sql + composer.piece(" and e.weight <> 0") + and_where + composer.piece(R"sql() e
     cross join lateral unnest(
       case when e.corrects is null then e.evidence
            else (select t.evidence
                    from kpi_entry t
                   where t.kpi_id = e.kpi_id and t.namespace_id = e.namespace_id
                     and t.event_id = e.corrects) end) as l (link))sql");
}

}  // namespace mendel::schema
