#include "schema/secrets.h"

#include "schema/transaction.h"

namespace mendel::schema {

namespace {

constexpr Statement kUpsertSecret{"upsert_secret", R"sql(
    insert into secret (namespace_id, name, key_id, sealed, created_at, updated_at, updated_by)
    values ($1, $2, $3, $4, $5, $5, $6)
    on conflict (namespace_id, folded_name)
    do update set key_id = excluded.key_id, sealed = excluded.sealed,
                  updated_at = excluded.updated_at, updated_by = excluded.updated_by
    returning xmax = 0 as is_new
  )sql"};

constexpr Statement kDeleteSecret{"delete_secret", R"sql(
    delete from secret where namespace_id = $1 and folded_name = $2
  )sql"};

constexpr Statement kListSecrets{"list_secrets", R"sql(
    select id, namespace_id, name, folded_name, key_id, ''::bytea as sealed, created_at,
           updated_at, updated_by
      from secret
     where namespace_id = $1 and folded_name > $2
     order by folded_name
     limit $3
  )sql"};

constexpr Statement kFindSecrets{"find_secrets", R"sql(
    select id, namespace_id, name, folded_name, key_id, sealed, created_at, updated_at,
           updated_by
      from secret
     where namespace_id = $1 and folded_name = any($2::text[])
  )sql"};

constexpr Statement kLockSecretsOfOtherKeys{"lock_secrets_of_other_keys", R"sql(
    select id, namespace_id, name, folded_name, key_id, sealed, created_at, updated_at,
           updated_by
      from secret
     where key_id <> $1
     order by id
     limit $2
       for update
  )sql"};

constexpr Statement kUpdateSealedSecret{"update_sealed_secret", R"sql(
    update secret set key_id = $2, sealed = $3 where id = $1
  )sql"};

std::vector<SecretRow> secrets_of(const Rows& rows) {
  std::vector<SecretRow> secrets;
  for (const auto& row : rows) {
    secrets.push_back({at<std::int64_t>(row, "id"), at<std::int64_t>(row, "namespace_id"),
                       at<std::string>(row, "name"), at<std::string>(row, "folded_name"),
                       at<std::string>(row, "key_id"),
                       at<std::vector<std::byte>>(row, "sealed"),
                       at<Timestamp>(row, "created_at"), at<Timestamp>(row, "updated_at"),
                       at<std::string>(row, "updated_by")});
  }
  return secrets;
}

}  // namespace

bool upsert_secret(Transaction& tx, const SecretRow& row) {
  return at<bool>(tx.exec_one(kUpsertSecret, row.namespace_id, row.name, row.key_id,
                              row.sealed, row.updated_at, row.updated_by),
                  "is_new");
}

bool delete_secret(Transaction& tx, std::int64_t namespace_id, std::string_view folded) {
  return tx.exec_counting(kDeleteSecret, namespace_id, folded) > 0;
}

std::vector<SecretRow> list_secrets(Transaction& tx, std::int64_t namespace_id,
                                    std::string_view after, std::size_t limit) {
  return secrets_of(tx.exec(kListSecrets, namespace_id, after, limit));
}

std::vector<SecretRow> find_secrets(Transaction& tx, std::int64_t namespace_id,
                                    const std::vector<std::string>& folded) {
  return secrets_of(tx.exec(kFindSecrets, namespace_id, array_of(folded)));
}

std::vector<SecretRow> lock_secrets_of_other_keys(Transaction& tx, std::string_view key_id,
                                                  std::size_t limit) {
  return secrets_of(tx.exec(kLockSecretsOfOtherKeys, key_id, limit));
}

void update_sealed_secret(Transaction& tx, std::int64_t id, std::string_view key_id,
                          const std::vector<std::byte>& sealed) {
  tx.exec(kUpdateSealedSecret, id, key_id, sealed);
}

}  // namespace mendel::schema
