#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "schema/database.h"
#include "storage/base/clock.h"
#include "storage/base/digest.h"

// Namespaces, principals, their roles and their tokens: one function per statement. Names
// are looked up by their folded form (mendel::Name::folded()). Lists are newest first;
// before is the id of the last row that was seen.
namespace mendel::schema {

struct NamespaceRow {
  std::int64_t id = 0;
  std::string name;
  std::string description;
  std::string visibility;
  Timestamp created_at;
};

// nullopt: the name is taken, perhaps in another spelling.
std::optional<NamespaceRow> insert_namespace(Transaction& transaction,
                                             std::string_view name,
                                             std::string_view description,
                                             std::string_view visibility);
std::optional<NamespaceRow> find_namespace(Transaction& transaction,
                                           std::string_view folded);
std::optional<NamespaceRow> lock_namespace(Transaction& transaction,
                                           std::string_view folded);
void update_namespace(Transaction& transaction, const NamespaceRow& row);

// Whose eyes look at a list of namespaces. Public ones are seen by all.
struct NamespaceViewer {
  bool sees_all = false;
  bool sees_internal = false;
  std::optional<std::int64_t> member;  // sees those that this principal has a role in
  std::optional<std::int64_t> only_namespace;  // of all these, sees this one alone
};
std::vector<NamespaceRow> list_namespaces(Transaction& transaction,
                                          const NamespaceViewer& viewer,
                                          std::optional<std::int64_t> before,
                                          std::size_t limit);

struct PrincipalRow {
  std::int64_t id = 0;
  std::string name;
  std::string kind;
  std::string display_name;
  bool is_admin = false;
  Timestamp created_at;
};

// nullopt: the name is taken, perhaps in another spelling. The row's id and created_at are
// given by the database.
std::optional<PrincipalRow> insert_principal(Transaction& transaction,
                                             const PrincipalRow& row);
std::optional<PrincipalRow> find_principal(Transaction& transaction,
                                           std::string_view folded);
std::optional<PrincipalRow> lock_principal(Transaction& transaction,
                                           std::string_view folded);
void update_principal(Transaction& transaction, const PrincipalRow& row);
std::vector<PrincipalRow> list_principals(Transaction& transaction,
                                          std::optional<std::int64_t> before,
                                          std::size_t limit);

struct MemberRow {
  std::int64_t principal_id = 0;
  std::string principal;
  std::string role;
  Timestamp granted_at;
};

MemberRow upsert_member(Transaction& transaction, std::int64_t namespace_id,
                        std::int64_t principal_id, std::string_view role);
std::optional<MemberRow> find_member(Transaction& transaction, std::int64_t namespace_id,
                                     std::string_view folded_principal);
void delete_member(Transaction& transaction, std::int64_t namespace_id,
                   std::int64_t principal_id);
std::int64_t count_owners(Transaction& transaction, std::int64_t namespace_id);
std::vector<MemberRow> list_members(Transaction& transaction, std::int64_t namespace_id,
                                    std::optional<std::int64_t> before, std::size_t limit);

// A namespace, and the role that a principal was granted in it.
struct StandingRow {
  NamespaceRow ns;
  std::optional<std::string> role;
};
std::optional<StandingRow> find_standing(Transaction& transaction, std::string_view folded,
                                         std::optional<std::int64_t> principal_id);

struct GrantRow {
  std::string ns;
  std::string role;
};
// Where a principal was granted a role; in only_namespace alone, if given.
std::vector<GrantRow> list_grants(Transaction& transaction, std::int64_t principal_id,
                                  std::optional<std::int64_t> only_namespace);
std::vector<std::string> list_namespace_names(Transaction& transaction,
                                              std::optional<std::int64_t> only_namespace);

struct TokenRow {
  std::string id;
  std::int64_t principal_id = 0;
  std::string principal;
  std::string name;
  std::int32_t scopes = 0;
  std::optional<std::int64_t> namespace_id;
  std::optional<std::string> ns;
  bool is_bootstrap = false;
  Timestamp created_at;
  std::optional<Timestamp> expires_at;
  std::optional<Timestamp> revoked_at;
};

struct NewToken {
  std::string id;
  std::int64_t principal_id = 0;
  std::string name;
  Digest secret_hash;
  std::int32_t scopes = 0;
  std::optional<std::int64_t> namespace_id;
  bool is_bootstrap = false;
  Timestamp created_at;
  std::optional<Timestamp> expires_at;
};
void insert_token(Transaction& transaction, const NewToken& token);
std::optional<TokenRow> find_token(Transaction& transaction, std::string_view id);

// Those not revoked; of one principal, or of all.
std::vector<TokenRow> list_tokens(Transaction& transaction,
                                  std::optional<std::int64_t> principal_id,
                                  const std::optional<std::string>& before,
                                  std::size_t limit);

// What was revoked already stays as it is.
void revoke_token(Transaction& transaction, std::string_view id, Timestamp at);
void revoke_bootstrap_tokens_but(Transaction& transaction, const Digest& secret_hash,
                                 Timestamp at);

// A token, and who it speaks for.
struct TokenHolderRow {
  std::int64_t principal_id = 0;
  std::string principal;
  bool is_admin = false;
  std::int32_t scopes = 0;
  std::optional<std::int64_t> namespace_id;
  std::optional<Timestamp> expires_at;
  std::optional<Timestamp> revoked_at;
};
std::optional<TokenHolderRow> find_token_holder(Transaction& transaction,
                                                const Digest& secret_hash);

}  // namespace mendel::schema
