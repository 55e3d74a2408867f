#include "registry/services/tokens.h"

#include <fmt/format.h>

#include <algorithm>

#include "registry/services/access_topic.h"
#include "registry/services/audit.h"
#include "registry/services/secret.h"
#include "schema/access.h"
#include "schema/changes.h"
#include "storage/base/error.h"
#include "storage/base/uuid.h"

namespace mendel::registry {

namespace {

constexpr std::int64_t kLifeDays = 90;
constexpr std::int64_t kLifeDaysMax = 3650;
constexpr std::size_t kNameSizeMax = 100;

constexpr std::string_view kBootstrapPrincipal = "admin";
constexpr std::string_view kBootstrapTokenName = "admin-token";

[[noreturn]] void refuse_field(std::string_view pointer, const std::string& rule) {
  throw Error(ErrorCode::invalid_argument, fmt::format("{} {}", pointer, rule),
              {{std::string(pointer), rule}});
}

[[noreturn]] void refuse(const std::string& why) {
  throw Error(ErrorCode::permission_denied, why);
}

Error no_principal(const Name& name) {
  return {ErrorCode::not_found, fmt::format("no principal named {}", name.text())};
}

Error no_token(std::string_view id) {
  return {ErrorCode::not_found, fmt::format("no token with the id {}", id)};
}

Token token_of(const schema::TokenRow& row) {
  return {.id = row.id,
          .principal = row.principal,
          .name = row.name,
          .scopes = Scopes::from_bits(static_cast<std::uint8_t>(row.scopes)),
          .ns = row.ns,
          .created_at = row.created_at,
          .expires_at = row.expires_at,
          .revoked_at = row.revoked_at};
}

bool may_see(const Caller& caller, const schema::TokenRow& row) {
  return caller.administers_server() || caller.principal == row.principal_id;
}

std::string list_scopes(Scopes scopes) {
  std::string text;
  for (const Scope scope :
       {Scope::read, Scope::write, Scope::admin, Scope::kpi, Scope::agent}) {
    if (!scopes.has(scope)) continue;
    if (!text.empty()) text += ", ";
    text += to_string(scope);
  }
  return text;
}

Scopes default_scopes(const Caller& caller) {
  Scopes scopes;
  for (const Scope scope : {Scope::read, Scope::write}) {
    if (caller.administers_server() || caller.scopes.has(scope)) scopes.add(scope);
  }
  return scopes;
}

Scopes scopes_for(const Caller& caller, const TokenRequest& request) {
  const Scopes scopes = request.scopes.value_or(default_scopes(caller));
  if (scopes == Scopes()) refuse_field("/scopes", "must name at least one scope");
  if (!caller.administers_server() && !caller.scopes.includes(scopes)) {
    refuse("a token cannot have scopes that the one it is made with lacks: that one has " +
           list_scopes(caller.scopes));
  }
  return scopes;
}

Timestamp expiry_for(const Caller& caller, const TokenRequest& request, Timestamp now) {
  const std::int64_t days = request.expires_in_days.value_or(kLifeDays);
  if (days < 1 || days > kLifeDaysMax) {
    refuse_field("/expires_in_days", fmt::format("must be from 1 to {}", kLifeDaysMax));
  }
  const Timestamp expires_at = now + std::chrono::days(days);
  if (caller.administers_server() || !caller.expires_at) return expires_at;
  return std::min(expires_at, *caller.expires_at);
}

std::optional<NamespaceId> namespace_for(const Caller& caller, const TokenRequest& request,
                                         AccessService& access) {
  if (!request.ns) return caller.only_namespace;
  const auto standing = access.standing(caller, *request.ns);
  const bool known = caller.administers_server() ? standing.role != Role::none
                                                 : may_read(caller, standing);
  if (!known) {
    throw Error(ErrorCode::not_found,
                fmt::format("no namespace named {}", request.ns->text()));
  }
  if (caller.only_namespace && caller.only_namespace != standing.ns.id) {
    refuse("a token that is bound to a namespace makes none for another");
  }
  return standing.ns.id;
}

void check_name(const std::string& name) {
  if (name.size() > kNameSizeMax) {
    refuse_field("/name", fmt::format("has more than {} bytes", kNameSizeMax));
  }
}

schema::PrincipalRow get_principal(schema::Transaction& tx, const Name& name) {
  if (auto row = schema::find_principal(tx, name.folded())) return *std::move(row);
  throw no_principal(name);
}

void note_token(schema::Transaction& tx, const Caller& caller, std::string_view action,
                const schema::TokenRow& row) {
  note(tx, caller,
       {.action = action,
        .subject = row.id,
        .ns = row.namespace_id,
        .reason = "",
        .detail = {{"principal", row.principal},
                   {"name", row.name},
                   {"scopes", list_scopes(Scopes::from_bits(
                                  static_cast<std::uint8_t>(row.scopes)))}}});
}

schema::PrincipalRow make_administrator(schema::Transaction& tx) {
  const Name name = Name::parse("a principal", kBootstrapPrincipal);
  auto row = schema::lock_principal(tx, name.folded());
  if (!row) {
    schema::PrincipalRow administrator;
    administrator.name = name.text();
    administrator.kind = "person";
    administrator.display_name = "Administrator of this server";
    administrator.is_admin = true;
    row = schema::insert_principal(tx, administrator);
  }
  if (!row) row = schema::lock_principal(tx, name.folded());
  if (!row)
    throw Error(ErrorCode::aborted, "the administrator came and went while being made");
  if (!row->is_admin) {
    row->is_admin = true;
    schema::update_principal(tx, *row);
  }
  return *row;
}

}  // namespace

TokenService::TokenService(schema::Database& database, ChangeFeed& changes,
                           AccessService& access, const Clock& clock)
    : database_(database), changes_(changes), access_(access), clock_(clock) {}

// Nothing needs to be announced: no server remembers secrets that it did not know.
TokenService::Issued TokenService::issue(const Caller& caller,
                                         const TokenRequest& request) {
  if (caller.is_anonymous()) throw Error(ErrorCode::unauthenticated, "this needs a token");
  check_name(request.name);

  const Name self = Name::parse("a principal", caller.name);
  const Name principal = request.principal.value_or(self);
  if (!caller.administers_server() && principal.folded() != self.folded()) {
    refuse("only an administrator of this server makes tokens for others");
  }

  const Timestamp now = clock_.now();
  const std::string secret = make_secret();
  schema::NewToken token{.id = make_uuid_v7(now),
                         .principal_id = 0,
                         .name = request.name,
                         .secret_hash = Digest::of(secret),
                         .scopes = scopes_for(caller, request).bits(),
                         .namespace_id = namespace_for(caller, request, access_),
                         .is_bootstrap = false,
                         .created_at = now,
                         .expires_at = expiry_for(caller, request, now)};

  return database_.transact("issue a token", [&](schema::Transaction& tx) {
    token.principal_id = get_principal(tx, principal).id;
    schema::insert_token(tx, token);
    const auto row = schema::find_token(tx, token.id);
    note_token(tx, caller, "token.create", *row);
    return Issued{token_of(*row), secret};
  });
}

Page<Token> TokenService::list(const Caller& caller, const std::optional<Name>& principal,
                               const PageRequest& page) {
  if (page.after && !is_uuid(*page.after)) {
    throw Error(ErrorCode::invalid_argument,
                "after must be the 'next' of a page of this list");
  }
  const auto before = page.after ? std::optional(std::string(*page.after)) : std::nullopt;

  auto rows = database_.read("list tokens", [&](schema::Transaction& tx) {
    std::optional<PrincipalId> whose =
        caller.administers_server() ? std::nullopt : caller.principal;
    if (principal) {
      const PrincipalId asked = get_principal(tx, *principal).id;
      if (whose && whose != asked) throw no_principal(*principal);
      whose = asked;
    }
    return schema::list_tokens(tx, whose, before, page.limit + 1);
  });
  return page_of<Token>(std::move(rows), page, token_of,
                        [](const schema::TokenRow& row) { return row.id; });
}

Token TokenService::get(const Caller& caller, std::string_view id) {
  if (!is_uuid(id)) throw no_token(id);
  const auto row = database_.read("look up a token", [&](schema::Transaction& tx) {
    return schema::find_token(tx, id);
  });
  if (!row || !may_see(caller, *row)) throw no_token(id);
  return token_of(*row);
}

void TokenService::revoke(const Caller& caller, std::string_view id) {
  if (!is_uuid(id)) throw no_token(id);
  database_.transact("revoke a token", [&](schema::Transaction& tx) {
    const auto row = schema::find_token(tx, id);
    if (!row || !may_see(caller, *row)) throw no_token(id);
    schema::record_change(tx, kAccessTopic);
    schema::revoke_token(tx, id, clock_.now());
    note_token(tx, caller, "token.revoke", *row);
  });
  changes_.announce(kAccessTopic);
}

void TokenService::establish_bootstrap_token(std::string_view secret,
                                             OtherBootstrapTokens others) {
  if (!is_secret(secret)) {
    throw Error(ErrorCode::invalid_argument,
                "the file with the administrator's token does not hold one: restore it, or "
                "replace it with --new-admin-token");
  }
  const Digest secret_hash = Digest::of(secret);
  const Timestamp now = clock_.now();
  database_.transact("establish the administrator's token", [&](schema::Transaction& tx) {
    const schema::PrincipalRow administrator = make_administrator(tx);
    schema::record_change(tx, kAccessTopic);
    if (others == OtherBootstrapTokens::revoke) {
      schema::revoke_bootstrap_tokens_but(tx, secret_hash, now);
    }
    if (schema::find_token_holder(tx, secret_hash)) return;
    schema::insert_token(tx, {.id = make_uuid_v7(now),
                              .principal_id = administrator.id,
                              .name = std::string(kBootstrapTokenName),
                              .secret_hash = secret_hash,
                              .scopes = Scopes::all().bits(),
                              .namespace_id = std::nullopt,
                              .is_bootstrap = true,
                              .created_at = now,
                              .expires_at = std::nullopt});
  });
  changes_.announce(kAccessTopic);
}

}  // namespace mendel::registry
