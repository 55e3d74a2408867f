#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/clock.h"

namespace mendel::registry {

using PrincipalId = std::int64_t;
using NamespaceId = std::int64_t;
using ArtifactId = std::int64_t;
using VersionId = std::int64_t;

// What a principal may do in a namespace; each includes those before it.
enum class Role : std::uint8_t { none, reader, writer, maintainer, owner };
std::string_view to_string(Role role);
std::optional<Role> parse_role(std::string_view text);  // never none

// What a token may be used for.
enum class Scope : std::uint8_t { read = 1, write = 2, admin = 4, kpi = 8, agent = 16 };
std::string_view to_string(Scope scope);
std::optional<Scope> parse_scope(std::string_view text);

class Scopes {
 public:
  void add(Scope scope) { bits_ |= static_cast<std::uint8_t>(scope); }
  bool has(Scope scope) const { return (bits_ & static_cast<std::uint8_t>(scope)) != 0; }
  bool includes(Scopes other) const { return (other.bits_ & ~bits_) == 0; }
  std::uint8_t bits() const { return bits_; }
  static Scopes from_bits(std::uint8_t bits);
  static Scopes all();

  friend bool operator==(Scopes, Scopes) = default;

 private:
  std::uint8_t bits_ = 0;
};

// An attempt at a job, whose token the caller has: it acts for the owner of the job's
// pipeline, and reaches no more than the job needs.
struct JobAttempt {
  std::int64_t job_id = 0;
  std::string job;  // UUID
  std::int32_t number = 0;
  bool is_over = false;             // its token is worth nothing any more
  std::string job_state;            // what became of the job
  NamespaceId target = 0;           // where the job publishes: at most a writer
  std::vector<NamespaceId> inputs;  // of its inputs: at most a reader
};

// Who asks, as its token says. A request without a token has no principal.
struct Caller {
  std::optional<PrincipalId> principal;
  std::string name;       // of the principal; empty without one
  bool is_admin = false;  // an administrator of the whole server: owner everywhere
  Scopes scopes;
  std::optional<NamespaceId> only_namespace;  // the token reaches no other
  std::optional<Timestamp> expires_at;
  std::shared_ptr<const JobAttempt> attempt = nullptr;

  bool is_anonymous() const { return !principal.has_value(); }

  // Whether it may do what concerns the whole server: its principal is an administrator,
  // and its token has the scope admin and is not bound to one namespace.
  bool administers_server() const {
    return is_admin && scopes.has(Scope::admin) && !only_namespace && !attempt;
  }
};

enum class Visibility : std::uint8_t { private_, internal, public_ };
std::string_view to_string(Visibility visibility);
std::optional<Visibility> parse_visibility(std::string_view text);

struct NamespaceInfo {
  NamespaceId id = 0;
  std::string name;  // as it was spelled when it was made
  std::string description;
  Visibility visibility = Visibility::private_;
  Timestamp created_at;
};

}  // namespace mendel::registry
