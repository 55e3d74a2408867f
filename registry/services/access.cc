#include "registry/services/access.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>
#include <unordered_set>

#include "registry/services/access_topic.h"
#include "registry/services/namespace_rows.h"
#include "registry/services/secret.h"
#include "schema/access.h"
#include "schema/job_attempts.h"
#include "storage/base/digest.h"
#include "storage/base/error.h"

namespace mendel::registry {

namespace {

// A memory that reaches its limit starts again: simpler than choosing what to drop, and a
// server that meets so many at once is seldom met again by the same.
constexpr std::size_t kHoldersMax = 1 << 16;
constexpr std::size_t kNamespacesMax = 1 << 16;
constexpr std::size_t kAbsentNamespacesMax = 1 << 12;
constexpr std::size_t kRolesMax = 1 << 18;

template <class Container>
void make_room(Container& container, std::size_t size_max) {
  if (container.size() >= size_max) container.clear();
}

struct Holder {
  Caller caller;
  bool revoked = false;
};

Holder holder_of(const schema::TokenHolderRow& row) {
  return {.caller = {.principal = row.principal_id,
                     .name = row.principal,
                     .is_admin = row.is_admin,
                     .scopes = Scopes::from_bits(static_cast<std::uint8_t>(row.scopes)),
                     .only_namespace = row.namespace_id,
                     .expires_at = row.expires_at},
          .revoked = row.revoked_at.has_value()};
}

struct Membership {
  PrincipalId principal;
  NamespaceId ns;
  friend bool operator==(const Membership&, const Membership&) = default;
};

struct HashMembership {
  std::size_t operator()(const Membership& key) const {
    constexpr std::uint64_t kOddMultiplier = 0x9e3779b97f4a7c15;
    return static_cast<std::uint64_t>(key.principal) * kOddMultiplier ^
           static_cast<std::uint64_t>(key.ns);
  }
};

// What the attempt at a job may do at the most, whatever its pipeline's owner may.
Role role_max(const Caller& caller, NamespaceId ns) {
  if (!caller.attempt) return Role::owner;
  if (caller.attempt->target == ns) return Role::writer;
  const bool is_input =
      std::ranges::find(caller.attempt->inputs, ns) != caller.attempt->inputs.end();
  return is_input ? Role::reader : Role::none;
}

Caller caller_of(const schema::AttemptHolderRow& row) {
  Scopes scopes;
  scopes.add(Scope::read);
  scopes.add(Scope::write);
  return {.principal = row.owner_id,
          .name = row.owner,
          .is_admin = row.owner_is_admin,
          .scopes = scopes,
          .only_namespace = std::nullopt,
          .expires_at = std::nullopt,
          .attempt = std::make_shared<const JobAttempt>(
              JobAttempt{.job_id = row.job_id,
                         .job = row.job_uuid,
                         .number = row.number,
                         .is_over = row.is_over,
                         .job_state = row.state,
                         .target = row.target_id,
                         .inputs = row.input_namespaces})};
}

// Public namespaces are read by anybody, so also by a token that is bound to another one.
AccessService::Standing judge(const Caller& caller, NamespaceInfo ns, Role granted) {
  Role role = Role::none;
  if (!caller.is_anonymous() &&
      (!caller.only_namespace || caller.only_namespace == ns.id)) {
    role = caller.is_admin ? Role::owner : granted;
    if (ns.visibility == Visibility::internal) role = std::max(role, Role::reader);
    role = std::min(role, role_max(caller, ns.id));
  }
  if (ns.visibility == Visibility::public_) role = std::max(role, Role::reader);
  if (role == Role::none) return {};
  return {std::move(ns), role};
}

Scope scope_for(Role needed) {
  switch (needed) {
    case Role::none:
    case Role::reader: return Scope::read;
    case Role::writer:
    case Role::maintainer: return Scope::write;
    case Role::owner: return Scope::admin;
  }
  return Scope::admin;
}

[[noreturn]] void refuse(const Caller& caller, const AccessService::Standing& standing,
                         const Name& ns, Role needed) {
  if (caller.is_anonymous()) throw Error(ErrorCode::unauthenticated, "this needs a token");
  if (!may_read(caller, standing)) {
    throw Error(ErrorCode::not_found, fmt::format("no namespace named {}", ns.text()));
  }
  if (standing.role < needed) {
    throw Error(ErrorCode::permission_denied,
                fmt::format("this needs the role {} in {}, and {} has the role {}",
                            to_string(needed), standing.ns.name, caller.name,
                            to_string(standing.role)));
  }
  throw Error(
      ErrorCode::permission_denied,
      fmt::format("this needs a token with the scope {}", to_string(scope_for(needed))));
}

}  // namespace

// A token never takes away what a caller without one may do.
bool may_read(const Caller& caller, const AccessService::Standing& standing) {
  if (standing.role < Role::reader) return false;
  return standing.ns.visibility == Visibility::public_ || caller.scopes.has(Scope::read);
}

bool may_fetch(const Caller& caller, const AccessService::Standing& standing) {
  return may_read(caller, standing) ||
         (standing.role >= Role::reader && caller.scopes.has(Scope::kpi));
}

struct AccessService::State {
  State(schema::Database& database, ChangeFeed& changes, const Clock& clock)
      : database(database), changes(changes), clock(clock) {}

  void forget();

  // The generation is read before the database is, so that what a change overtook is not
  // remembered.
  std::uint64_t current_generation() const;
  void remember(std::uint64_t loaded_in, const Digest& secret_hash, const Holder& holder);
  void remember(std::uint64_t loaded_in, const Caller& caller, const std::string& folded,
                const std::optional<NamespaceInfo>& ns, Role granted);

  std::optional<Holder> remembered_holder(const Digest& secret_hash) const;
  std::optional<Holder> load_holder(const Digest& secret_hash);
  std::optional<Caller> load_attempt(const Digest& secret_hash);
  bool is_expired(const Caller& caller) const {
    return caller.expires_at && *caller.expires_at <= clock.now();
  }

  schema::Database& database;
  ChangeFeed& changes;
  const Clock& clock;

  mutable std::shared_mutex mutex;  // guards what follows
  std::uint64_t generation = 0;
  std::unordered_map<Digest, Holder> holders;  // by the SHA-256 of the secret
  std::unordered_map<std::string, NamespaceInfo> namespaces;  // by folded name
  std::unordered_set<std::string> absent_namespaces;
  std::unordered_map<Membership, Role, HashMembership> roles;
};

void AccessService::State::forget() {
  const std::unique_lock lock(mutex);
  ++generation;
  holders.clear();
  namespaces.clear();
  absent_namespaces.clear();
  roles.clear();
}

std::uint64_t AccessService::State::current_generation() const {
  const std::shared_lock lock(mutex);
  return generation;
}

void AccessService::State::remember(std::uint64_t loaded_in, const Digest& secret_hash,
                                    const Holder& holder) {
  const std::unique_lock lock(mutex);
  if (loaded_in != generation) return;
  make_room(holders, kHoldersMax);
  holders.insert_or_assign(secret_hash, holder);
}

void AccessService::State::remember(std::uint64_t loaded_in, const Caller& caller,
                                    const std::string& folded,
                                    const std::optional<NamespaceInfo>& ns, Role granted) {
  const std::unique_lock lock(mutex);
  if (loaded_in != generation) return;
  if (!ns) {
    make_room(absent_namespaces, kAbsentNamespacesMax);
    absent_namespaces.insert(folded);
    return;
  }
  make_room(namespaces, kNamespacesMax);
  namespaces.insert_or_assign(folded, *ns);
  if (!caller.principal) return;
  make_room(roles, kRolesMax);
  roles.insert_or_assign(Membership{*caller.principal, ns->id}, granted);
}

std::optional<Holder> AccessService::State::remembered_holder(
    const Digest& secret_hash) const {
  if (!changes.fresh()) return std::nullopt;
  const std::shared_lock lock(mutex);
  const auto found = holders.find(secret_hash);
  if (found == holders.end()) return std::nullopt;
  return found->second;
}

std::optional<Holder> AccessService::State::load_holder(const Digest& secret_hash) {
  const std::uint64_t loaded_in = current_generation();
  const auto row = database.read("look up a token", [&](schema::Transaction& tx) {
    return schema::find_token_holder(tx, secret_hash);
  });
  // Only tokens that exist are remembered, so that guessing fills no memory.
  if (!row) return std::nullopt;
  const Holder holder = holder_of(*row);
  remember(loaded_in, secret_hash, holder);
  return holder;
}

// Never remembered: an attempt ends at any moment, on any server.
std::optional<Caller> AccessService::State::load_attempt(const Digest& secret_hash) {
  const auto row =
      database.read("look up the token of an attempt", [&](schema::Transaction& tx) {
        return schema::find_attempt_holder(tx, secret_hash);
      });
  if (!row) return std::nullopt;
  return caller_of(*row);
}

AccessService::AccessService(schema::Database& database, ChangeFeed& changes,
                             const Clock& clock)
    : state_(std::make_unique<State>(database, changes, clock)) {
  changes.listen([state = state_.get()](std::string_view topic) {
    if (topic.empty() || topic == kAccessTopic) state->forget();
  });
}

AccessService::~AccessService() = default;

Caller AccessService::authenticate(std::string_view secret) {
  if (!is_secret(secret)) {
    throw Error(ErrorCode::unauthenticated, "this is not a token of a Mendel server");
  }
  const Digest secret_hash = Digest::of(secret);
  auto holder = state_->remembered_holder(secret_hash);
  if (!holder) holder = state_->load_holder(secret_hash);
  if (!holder) {
    if (auto attempt = state_->load_attempt(secret_hash)) return *std::move(attempt);
  }

  if (!holder) throw Error(ErrorCode::unauthenticated, "the token is not known");
  if (holder->revoked) throw Error(ErrorCode::unauthenticated, "the token was revoked");
  if (state_->is_expired(holder->caller)) {
    throw Error(
        ErrorCode::unauthenticated,
        fmt::format("the token expired at {}", format_rfc3339(*holder->caller.expires_at)));
  }
  return std::move(holder->caller);
}

std::optional<Caller> AccessService::remembered_caller(std::string_view secret) const {
  if (!is_secret(secret)) return std::nullopt;
  auto holder = state_->remembered_holder(Digest::of(secret));
  if (!holder || holder->revoked || state_->is_expired(holder->caller)) return std::nullopt;
  return std::move(holder->caller);
}

AccessService::Standing AccessService::standing(const Caller& caller, const Name& ns) {
  if (auto remembered = remembered_standing(caller, ns)) return *std::move(remembered);

  const std::string folded = ns.folded();
  const std::uint64_t loaded_in = state_->current_generation();
  const auto row =
      state_->database.read("look up a namespace", [&](schema::Transaction& tx) {
        return schema::find_standing(tx, folded, caller.principal);
      });
  const auto info = row ? std::optional(namespace_of(row->ns)) : std::nullopt;
  const Role granted = row ? role_of(row->role) : Role::none;
  state_->remember(loaded_in, caller, folded, info, granted);
  return info ? judge(caller, *info, granted) : Standing{};
}

std::optional<AccessService::Standing> AccessService::remembered_standing(
    const Caller& caller, const Name& ns) const {
  if (!state_->changes.fresh()) return std::nullopt;
  const std::string folded = ns.folded();
  const std::shared_lock lock(state_->mutex);
  if (state_->absent_namespaces.contains(folded)) return Standing{};
  const auto found = state_->namespaces.find(folded);
  if (found == state_->namespaces.end()) return std::nullopt;
  if (!caller.principal || caller.is_admin) return judge(caller, found->second, Role::none);
  const auto role = state_->roles.find({*caller.principal, found->second.id});
  if (role == state_->roles.end()) return std::nullopt;
  return judge(caller, found->second, role->second);
}

AccessService::Standing AccessService::require(const Caller& caller, const Name& ns,
                                               Role needed) {
  Standing standing = this->standing(caller, ns);
  const bool allowed = needed == Role::reader ? may_read(caller, standing)
                                              : standing.role >= needed &&
                                                    caller.scopes.has(scope_for(needed));
  if (!allowed) refuse(caller, standing, ns, needed);
  return standing;
}

AccessService::Standing AccessService::require_fetch(const Caller& caller, const Name& ns) {
  Standing standing = this->standing(caller, ns);
  if (!may_fetch(caller, standing)) refuse(caller, standing, ns, Role::reader);
  return standing;
}

}  // namespace mendel::registry
