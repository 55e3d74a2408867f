#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "registry/services/access.h"
#include "registry/services/caller.h"
#include "registry/services/change_feed.h"
#include "registry/services/page.h"
#include "schema/database.h"
#include "storage/base/clock.h"
#include "storage/base/reference.h"

namespace mendel::registry {

struct Token {
  std::string id;
  std::string principal;
  std::string name;
  Scopes scopes;
  std::optional<std::string> ns;  // reaches this namespace alone
  Timestamp created_at;
  std::optional<Timestamp> expires_at;
  std::optional<Timestamp> revoked_at;
};

// What a token shall be. principal: the caller if absent. scopes: of read and write those
// that the caller's own token has. ns: what the principal may reach, or the caller's token
// if that is bound to a namespace. expires_in_days: 1 … 3650, 90 if absent.
struct TokenRequest {
  std::optional<Name> principal;
  std::string name;
  std::optional<Scopes> scopes;
  std::optional<Name> ns;
  std::optional<std::int64_t> expires_in_days;
};

// The tokens that principals own. A revoked token is refused at once by this server, and
// within a second by others. Secrets are handed out once and kept nowhere. Any thread.
class TokenService {
 public:
  TokenService(schema::Database& database, ChangeFeed& changes, AccessService& access,
               const Clock& clock);

  // Administrators of the server make tokens for everybody. Others only for themselves, and
  // none that can do more than the one they call with: throws permission_denied for another
  // principal, for scopes that the caller's token lacks, and for a namespace that it is not
  // bound to; the new token expires with the caller's at the latest.
  struct Issued {
    Token token;
    std::string secret;
  };
  Issued issue(const Caller& caller, const TokenRequest& request);

  // Those not revoked. Of the caller; administrators see all, or those of one principal.
  // Throws not_found for a principal that is absent or not to be seen.
  Page<Token> list(const Caller& caller, const std::optional<Name>& principal,
                   const PageRequest& page);

  // The caller's own; administrators': any. Throw not_found. What was revoked before stays
  // so.
  Token get(const Caller& caller, std::string_view id);
  void revoke(const Caller& caller, std::string_view id);

  // The token in DIR/admin-token: for the administrator "admin", with every scope, without
  // an end. The file is the authority, so that a crash at any instant is repaired by the
  // next start. main() must
  //   - without the file, or with --new-admin-token: make_secret(), write it to the file
  //   (mode
  //     0600, to a temporary name, fsync, rename, fsync the directory), then establish it;
  //   - with the file: read the secret from it, and establish it again.
  // Establishing makes the principal an administrator and stores the secret's hash where it
  // is not known yet. A token that was revoked stays revoked. Throws invalid_argument for
  // what is no secret.
  enum class OtherBootstrapTokens { keep, revoke };  // revoke: for --new-admin-token
  void establish_bootstrap_token(std::string_view secret, OtherBootstrapTokens others);

 private:
  schema::Database& database_;
  ChangeFeed& changes_;
  AccessService& access_;
  const Clock& clock_;
};

}  // namespace mendel::registry
