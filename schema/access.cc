#include "schema/access.h"

#include "schema/transaction.h"

namespace mendel::schema {

namespace {

constexpr Statement kInsertNamespace{"insert_namespace", R"sql(
    insert into namespace (name, description, visibility)
    values ($1, $2, $3)
    on conflict on constraint namespace_name_is_unique_ignoring_case do nothing
    returning id, name, description, visibility, created_at
  )sql"};

constexpr Statement kFindNamespace{"find_namespace", R"sql(
    select id, name, description, visibility, created_at
      from namespace
     where folded_name = $1
  )sql"};

constexpr Statement kLockNamespace{"lock_namespace", R"sql(
    select id, name, description, visibility, created_at
      from namespace
     where folded_name = $1
       for update
  )sql"};

constexpr Statement kUpdateNamespace{"update_namespace", R"sql(
    update namespace set description = $2, visibility = $3 where id = $1
  )sql"};

constexpr Statement kListNamespaces{"list_namespaces", R"sql(
    select id, name, description, visibility, created_at
      from namespace n
     where ($1::bigint is null or id < $1)
       and (visibility = 'public'
            or (($2::bigint is null or id = $2)
                and ($3::boolean
                     or ($4::boolean and visibility = 'internal')
                     or exists (select from membership m
                                 where m.namespace_id = n.id and m.principal_id = $5::bigint))))
     order by id desc
     limit $6
  )sql"};

constexpr Statement kInsertPrincipal{"insert_principal", R"sql(
    insert into principal (name, kind, display_name, is_admin)
    values ($1, $2, $3, $4)
    on conflict on constraint principal_name_is_unique_ignoring_case do nothing
    returning id, name, kind, display_name, is_admin, created_at
  )sql"};

constexpr Statement kFindPrincipal{"find_principal", R"sql(
    select id, name, kind, display_name, is_admin, created_at
      from principal
     where folded_name = $1
  )sql"};

constexpr Statement kLockPrincipal{"lock_principal", R"sql(
    select id, name, kind, display_name, is_admin, created_at
      from principal
     where folded_name = $1
       for update
  )sql"};

constexpr Statement kUpdatePrincipal{"update_principal", R"sql(
    update principal set kind = $2, display_name = $3, is_admin = $4 where id = $1
  )sql"};

constexpr Statement kListPrincipals{"list_principals", R"sql(
    select id, name, kind, display_name, is_admin, created_at
      from principal
     where $1::bigint is null or id < $1
     order by id desc
     limit $2
  )sql"};

constexpr Statement kUpsertMember{"upsert_member", R"sql(
    with granted as (
        insert into membership (namespace_id, principal_id, role)
        values ($1, $2, $3)
        on conflict on constraint membership_pk
        do update set role = excluded.role,
                      granted_at = case when membership.role = excluded.role
                                        then membership.granted_at
                                        else excluded.granted_at end
        returning principal_id, role, granted_at
    )
    select g.principal_id, p.name as principal, g.role, g.granted_at
      from granted g join principal p on p.id = g.principal_id
  )sql"};

constexpr Statement kFindMember{"find_member", R"sql(
    select m.principal_id, p.name as principal, m.role, m.granted_at
      from membership m join principal p on p.id = m.principal_id
     where m.namespace_id = $1 and p.folded_name = $2
  )sql"};

constexpr Statement kDeleteMember{"delete_member", R"sql(
    delete from membership where namespace_id = $1 and principal_id = $2
  )sql"};

constexpr Statement kCountOwners{"count_owners", R"sql(
    select count(*) as owners from membership where namespace_id = $1 and role = 'owner'
  )sql"};

constexpr Statement kListMembers{"list_members", R"sql(
    select m.principal_id, p.name as principal, m.role, m.granted_at
      from membership m join principal p on p.id = m.principal_id
     where m.namespace_id = $1 and ($2::bigint is null or m.principal_id < $2)
     order by m.principal_id desc
     limit $3
  )sql"};

constexpr Statement kFindStanding{"find_standing", R"sql(
    select n.id, n.name, n.description, n.visibility, n.created_at, m.role
      from namespace n
      left join membership m on m.namespace_id = n.id and m.principal_id = $2::bigint
     where n.folded_name = $1
  )sql"};

constexpr Statement kListGrants{"list_grants", R"sql(
    select n.name, m.role
      from membership m join namespace n on n.id = m.namespace_id
     where m.principal_id = $1 and ($2::bigint is null or n.id = $2)
     order by n.folded_name
  )sql"};

constexpr Statement kListNamespaceNames{"list_namespace_names", R"sql(
    select name from namespace where $1::bigint is null or id = $1 order by folded_name
  )sql"};

constexpr Statement kInsertToken{"insert_token", R"sql(
    insert into token (id, principal_id, name, secret_hash, scopes, namespace_id,
                       is_bootstrap, created_at, expires_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
  )sql"};

constexpr Statement kFindToken{"find_token", R"sql(
    select t.id, t.principal_id, p.name as principal, t.name, t.scopes, t.namespace_id,
           n.name as ns, t.is_bootstrap, t.created_at, t.expires_at, t.revoked_at
      from token t
      join principal p on p.id = t.principal_id
      left join namespace n on n.id = t.namespace_id
     where t.id = $1
  )sql"};

constexpr Statement kListTokens{"list_tokens", R"sql(
    select t.id, t.principal_id, p.name as principal, t.name, t.scopes, t.namespace_id,
           n.name as ns, t.is_bootstrap, t.created_at, t.expires_at, t.revoked_at
      from token t
      join principal p on p.id = t.principal_id
      left join namespace n on n.id = t.namespace_id
     where t.revoked_at is null
       and ($1::bigint is null or t.principal_id = $1)
       and ($2::uuid is null or t.id < $2)
     order by t.id desc
     limit $3
  )sql"};

constexpr Statement kRevokeToken{"revoke_token", R"sql(
    update token set revoked_at = $2 where id = $1 and revoked_at is null
  )sql"};

constexpr Statement kRevokeBootstrapTokensBut{"revoke_bootstrap_tokens_but", R"sql(
    update token
       set revoked_at = $2
     where is_bootstrap and revoked_at is null and secret_hash <> $1
  )sql"};

constexpr Statement kFindTokenHolder{"find_token_holder", R"sql(
    select t.principal_id, p.name as principal, p.is_admin, t.scopes, t.namespace_id,
           t.expires_at, t.revoked_at
      from token t join principal p on p.id = t.principal_id
     where t.secret_hash = $1
  )sql"};

NamespaceRow namespace_of(const Row& row) {
  return {at<std::int64_t>(row, "id"), at<std::string>(row, "name"),
          at<std::string>(row, "description"), at<std::string>(row, "visibility"),
          at<Timestamp>(row, "created_at")};
}

PrincipalRow principal_of(const Row& row) {
  return {at<std::int64_t>(row, "id"),  at<std::string>(row, "name"),
          at<std::string>(row, "kind"), at<std::string>(row, "display_name"),
          at<bool>(row, "is_admin"),    at<Timestamp>(row, "created_at")};
}

MemberRow member_of(const Row& row) {
  return {at<std::int64_t>(row, "principal_id"), at<std::string>(row, "principal"),
          at<std::string>(row, "role"), at<Timestamp>(row, "granted_at")};
}

TokenRow token_of(const Row& row) {
  return {.id = at<std::string>(row, "id"),
          .principal_id = at<std::int64_t>(row, "principal_id"),
          .principal = at<std::string>(row, "principal"),
          .name = at<std::string>(row, "name"),
          .scopes = at<std::int32_t>(row, "scopes"),
          .namespace_id = at<std::optional<std::int64_t>>(row, "namespace_id"),
          .ns = at<std::optional<std::string>>(row, "ns"),
          .is_bootstrap = at<bool>(row, "is_bootstrap"),
          .created_at = at<Timestamp>(row, "created_at"),
          .expires_at = at<std::optional<Timestamp>>(row, "expires_at"),
          .revoked_at = at<std::optional<Timestamp>>(row, "revoked_at")};
}

template <class Read>
auto each_of(const Rows& rows, Read read) {
  std::vector<decltype(read(rows[0]))> items;
  items.reserve(rows.size());
  for (const Row& row : rows) items.push_back(read(row));
  return items;
}

template <class Read>
auto one_of(const std::optional<Row>& row, Read read)
    -> std::optional<decltype(read(*row))> {
  if (!row) return std::nullopt;
  return read(*row);
}

}  // namespace

std::optional<NamespaceRow> insert_namespace(Transaction& transaction,
                                             std::string_view name,
                                             std::string_view description,
                                             std::string_view visibility) {
  return one_of(transaction.exec_optional(kInsertNamespace, name, description, visibility),
                namespace_of);
}

std::optional<NamespaceRow> find_namespace(Transaction& transaction,
                                           std::string_view folded) {
  return one_of(transaction.exec_optional(kFindNamespace, folded), namespace_of);
}

std::optional<NamespaceRow> lock_namespace(Transaction& transaction,
                                           std::string_view folded) {
  return one_of(transaction.exec_optional(kLockNamespace, folded), namespace_of);
}

void update_namespace(Transaction& transaction, const NamespaceRow& row) {
  transaction.exec(kUpdateNamespace, row.id, row.description, row.visibility);
}

std::vector<NamespaceRow> list_namespaces(Transaction& transaction,
                                          const NamespaceViewer& viewer,
                                          std::optional<std::int64_t> before,
                                          std::size_t limit) {
  return each_of(
      transaction.exec(kListNamespaces, before, viewer.only_namespace, viewer.sees_all,
                       viewer.sees_internal, viewer.member, limit),
      namespace_of);
}

std::optional<PrincipalRow> insert_principal(Transaction& transaction,
                                             const PrincipalRow& row) {
  return one_of(transaction.exec_optional(kInsertPrincipal, row.name, row.kind,
                                          row.display_name, row.is_admin),
                principal_of);
}

std::optional<PrincipalRow> find_principal(Transaction& transaction,
                                           std::string_view folded) {
  return one_of(transaction.exec_optional(kFindPrincipal, folded), principal_of);
}

std::optional<PrincipalRow> lock_principal(Transaction& transaction,
                                           std::string_view folded) {
  return one_of(transaction.exec_optional(kLockPrincipal, folded), principal_of);
}

void update_principal(Transaction& transaction, const PrincipalRow& row) {
  transaction.exec(kUpdatePrincipal, row.id, row.kind, row.display_name, row.is_admin);
}

std::vector<PrincipalRow> list_principals(Transaction& transaction,
                                          std::optional<std::int64_t> before,
                                          std::size_t limit) {
  return each_of(transaction.exec(kListPrincipals, before, limit), principal_of);
}

MemberRow upsert_member(Transaction& transaction, std::int64_t namespace_id,
                        std::int64_t principal_id, std::string_view role) {
  return member_of(transaction.exec_one(kUpsertMember, namespace_id, principal_id, role));
}

std::optional<MemberRow> find_member(Transaction& transaction, std::int64_t namespace_id,
                                     std::string_view folded_principal) {
  return one_of(transaction.exec_optional(kFindMember, namespace_id, folded_principal),
                member_of);
}

void delete_member(Transaction& transaction, std::int64_t namespace_id,
                   std::int64_t principal_id) {
  transaction.exec(kDeleteMember, namespace_id, principal_id);
}

std::int64_t count_owners(Transaction& transaction, std::int64_t namespace_id) {
  return at<std::int64_t>(transaction.exec_one(kCountOwners, namespace_id), "owners");
}

std::vector<MemberRow> list_members(Transaction& transaction, std::int64_t namespace_id,
                                    std::optional<std::int64_t> before, std::size_t limit) {
  return each_of(transaction.exec(kListMembers, namespace_id, before, limit), member_of);
}

std::optional<StandingRow> find_standing(Transaction& transaction, std::string_view folded,
                                         std::optional<std::int64_t> principal_id) {
  return one_of(
      transaction.exec_optional(kFindStanding, folded, principal_id), [](const Row& row) {
        return StandingRow{namespace_of(row), at<std::optional<std::string>>(row, "role")};
      });
}

std::vector<GrantRow> list_grants(Transaction& transaction, std::int64_t principal_id,
                                  std::optional<std::int64_t> only_namespace) {
  return each_of(
      transaction.exec(kListGrants, principal_id, only_namespace), [](const Row& row) {
        return GrantRow{at<std::string>(row, "name"), at<std::string>(row, "role")};
      });
}

std::vector<std::string> list_namespace_names(Transaction& transaction,
                                              std::optional<std::int64_t> only_namespace) {
  return each_of(transaction.exec(kListNamespaceNames, only_namespace),
                 [](const Row& row) { return at<std::string>(row, "name"); });
}

void insert_token(Transaction& transaction, const NewToken& token) {
  transaction.exec(kInsertToken, token.id, token.principal_id, token.name,
                   token.secret_hash, token.scopes, token.namespace_id, token.is_bootstrap,
                   token.created_at, token.expires_at);
}

std::optional<TokenRow> find_token(Transaction& transaction, std::string_view id) {
  return one_of(transaction.exec_optional(kFindToken, id), token_of);
}

std::vector<TokenRow> list_tokens(Transaction& transaction,
                                  std::optional<std::int64_t> principal_id,
                                  const std::optional<std::string>& before,
                                  std::size_t limit) {
  return each_of(transaction.exec(kListTokens, principal_id, before, limit), token_of);
}

void revoke_token(Transaction& transaction, std::string_view id, Timestamp at) {
  transaction.exec(kRevokeToken, id, at);
}

void revoke_bootstrap_tokens_but(Transaction& transaction, const Digest& secret_hash,
                                 Timestamp at) {
  transaction.exec(kRevokeBootstrapTokensBut, secret_hash, at);
}

std::optional<TokenHolderRow> find_token_holder(Transaction& transaction,
                                                const Digest& secret_hash) {
  return one_of(
      transaction.exec_optional(kFindTokenHolder, secret_hash), [](const Row& row) {
        return TokenHolderRow{at<std::int64_t>(row, "principal_id"),
                              at<std::string>(row, "principal"),
                              at<bool>(row, "is_admin"),
                              at<std::int32_t>(row, "scopes"),
                              at<std::optional<std::int64_t>>(row, "namespace_id"),
                              at<std::optional<Timestamp>>(row, "expires_at"),
                              at<std::optional<Timestamp>>(row, "revoked_at")};
      });
}

}  // namespace mendel::schema
