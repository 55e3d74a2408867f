#include "schema/audit.h"

#include "schema/transaction.h"

namespace mendel::schema {

namespace {

constexpr Statement kInsertAudit{"insert_audit", R"sql(
    insert into audit (principal, action, subject, namespace_id, reason, detail)
    values ($1, $2, $3, $4, $5, $6)
  )sql"};

constexpr Statement kListAudit{"list_audit", R"sql(
    select a.id, a.at, a.principal, a.action, a.subject, a.namespace_id, a.reason,
           a.detail::text as detail, n.name as namespace_name
      from audit a left join namespace n on n.id = a.namespace_id
     where ($1::bigint is null or a.namespace_id = $1)
       and ($2::text is null or a.subject = $2 collate "C")
       and ($3::text is null or a.action = $3 collate "C")
       and ($4::bigint is null or a.id < $4)
     order by a.id desc
     limit $5
  )sql"};

}  // namespace

void insert_audit(Transaction& tx, const AuditEntry& entry) {
  tx.exec(kInsertAudit, entry.principal, entry.action, entry.subject, entry.namespace_id,
          entry.reason, entry.detail);
}

std::vector<AuditRow> list_audit(Transaction& tx, const AuditQuestion& question) {
  std::vector<AuditRow> entries;
  for (const auto& row :
       tx.exec(kListAudit, question.namespace_id, question.subject, question.action,
               question.before, static_cast<std::int64_t>(question.limit))) {
    entries.push_back({at<std::int64_t>(row, "id"),
                       at<Timestamp>(row, "at"),
                       at<std::optional<std::string>>(row, "namespace_name"),
                       {at<std::string>(row, "principal"), at<std::string>(row, "action"),
                        at<std::string>(row, "subject"),
                        at<std::optional<std::int64_t>>(row, "namespace_id"),
                        at<std::string>(row, "reason"), at<std::string>(row, "detail")}});
  }
  return entries;
}

}  // namespace mendel::schema
