#include "registry/services/caller.h"

#include <array>
#include <utility>

#include "storage/base/error.h"

namespace mendel::registry {

namespace {

constexpr std::array<std::pair<Role, std::string_view>, 4> kRoles{{
    {Role::reader, "reader"},
    {Role::writer, "writer"},
    {Role::maintainer, "maintainer"},
    {Role::owner, "owner"},
}};

constexpr std::array<std::pair<Scope, std::string_view>, 5> kScopes{{
    {Scope::read, "read"},
    {Scope::write, "write"},
    {Scope::admin, "admin"},
    {Scope::kpi, "kpi"},
    {Scope::agent, "agent"},
}};

constexpr std::array<std::pair<Visibility, std::string_view>, 3> kVisibilities{{
    {Visibility::private_, "private"},
    {Visibility::internal, "internal"},
    {Visibility::public_, "public"},
}};

template <class Table, class Value>
std::string_view text_of(const Table& table, Value value) {
  for (const auto& [known, text] : table) {
    if (known == value) return text;
  }
  return "none";
}

template <class Table>
auto value_of(const Table& table, std::string_view text)
    -> std::optional<decltype(table[0].first)> {
  for (const auto& [value, known] : table) {
    if (known == text) return value;
  }
  return std::nullopt;
}

}  // namespace

std::string_view to_string(Role role) { return text_of(kRoles, role); }
std::optional<Role> parse_role(std::string_view text) { return value_of(kRoles, text); }

std::string_view to_string(Scope scope) { return text_of(kScopes, scope); }
std::optional<Scope> parse_scope(std::string_view text) { return value_of(kScopes, text); }

std::string_view to_string(Visibility visibility) {
  return text_of(kVisibilities, visibility);
}
std::optional<Visibility> parse_visibility(std::string_view text) {
  return value_of(kVisibilities, text);
}

Scopes Scopes::from_bits(std::uint8_t bits) {
  if ((bits & ~all().bits_) != 0) {
    throw Error(ErrorCode::data_loss, "a stored token has scopes that are not known");
  }
  Scopes scopes;
  scopes.bits_ = bits;
  return scopes;
}

Scopes Scopes::all() {
  Scopes scopes;
  for (const auto& [scope, text] : kScopes) scopes.add(scope);
  return scopes;
}

}  // namespace mendel::registry
