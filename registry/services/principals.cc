#include "registry/services/principals.h"

#include <fmt/format.h>

#include "registry/services/access_topic.h"
#include "registry/services/audit.h"
#include "registry/services/namespace_rows.h"
#include "schema/access.h"
#include "schema/changes.h"
#include "storage/base/error.h"

namespace mendel::registry {

namespace {

constexpr std::size_t kDisplayNameSizeMax = 200;

void check(const PrincipalEdit& edit) {
  if (edit.display_name && edit.display_name->size() > kDisplayNameSizeMax) {
    throw Error(
        ErrorCode::invalid_argument,
        fmt::format("a display name has at most {} bytes", kDisplayNameSizeMax),
        {{"/display_name", fmt::format("has more than {} bytes", kDisplayNameSizeMax)}});
  }
}

Principal principal_of(const schema::PrincipalRow& row) {
  const auto kind = parse_principal_kind(row.kind);
  if (!kind) throw Error(ErrorCode::data_loss, "a principal is of no known kind");
  return {row.id, row.name, *kind, row.display_name, row.is_admin, row.created_at};
}

void apply(const PrincipalEdit& edit, schema::PrincipalRow& row) {
  if (edit.kind) row.kind = to_string(*edit.kind);
  if (edit.display_name) row.display_name = *edit.display_name;
  if (edit.is_admin) row.is_admin = *edit.is_admin;
}

void require_same_spelling(const schema::PrincipalRow& existing, const Name& name) {
  if (existing.name == name.text()) return;
  throw Error(
      ErrorCode::already_exists,
      fmt::format("there is a principal {} already, and names differ by more than case",
                  existing.name));
}

schema::PrincipalRow get_made_meanwhile(std::optional<schema::PrincipalRow> row) {
  if (row) return *std::move(row);
  throw Error(ErrorCode::aborted, "the principal came and went while it was being put");
}

schema::PrincipalRow new_row(const Name& name) {
  schema::PrincipalRow row;
  row.name = name.text();
  row.kind = to_string(PrincipalKind::person);
  return row;
}

void note_put(schema::Transaction& tx, const Caller& caller, std::string_view action,
              const schema::PrincipalRow& row) {
  note(tx, caller,
       {.action = action,
        .subject = row.name,
        .ns = std::nullopt,
        .reason = "",
        .detail = {{"kind", row.kind}, {"admin", row.is_admin ? "yes" : "no"}}});
}

}  // namespace

std::string_view to_string(PrincipalKind kind) {
  return kind == PrincipalKind::person ? "person" : "service";
}

std::optional<PrincipalKind> parse_principal_kind(std::string_view text) {
  if (text == "person") return PrincipalKind::person;
  if (text == "service") return PrincipalKind::service;
  return std::nullopt;
}

PrincipalService::PrincipalService(schema::Database& database, ChangeFeed& changes)
    : database_(database), changes_(changes) {}

Put<Principal> PrincipalService::put(const Caller& caller, const Name& name,
                                     const PrincipalEdit& edit,
                                     const Precondition<Principal>& precondition) {
  check(edit);
  auto put = database_.transact("put a principal", [&](schema::Transaction& tx) {
    schema::record_change(tx, kAccessTopic);
    auto row = schema::lock_principal(tx, name.folded());
    if (!row) {
      precondition(nullptr);
      schema::PrincipalRow made = new_row(name);
      apply(edit, made);
      row = schema::insert_principal(tx, made);
      if (row) {
        note_put(tx, caller, "principal.create", *row);
        return Put<Principal>{principal_of(*row), Outcome::created};
      }
      row = get_made_meanwhile(schema::lock_principal(tx, name.folded()));
    }
    const Principal current = principal_of(*row);
    precondition(&current);
    require_same_spelling(*row, name);
    apply(edit, *row);
    schema::update_principal(tx, *row);
    note_put(tx, caller, "principal.change", *row);
    return Put<Principal>{principal_of(*row), Outcome::updated};
  });
  changes_.announce(kAccessTopic);
  return put;
}

Principal PrincipalService::get(const Caller& caller, const Name& name) {
  const auto row = database_.read("look up a principal", [&](schema::Transaction& tx) {
    return schema::find_principal(tx, name.folded());
  });
  if (!row || !(caller.administers_server() || caller.principal == row->id)) {
    throw Error(ErrorCode::not_found, fmt::format("no principal named {}", name.text()));
  }
  return principal_of(*row);
}

Page<Principal> PrincipalService::list(const PageRequest& page) {
  auto rows = database_.read("list principals", [&](schema::Transaction& tx) {
    return schema::list_principals(tx, id_after(page), page.limit + 1);
  });
  return page_of<Principal>(std::move(rows), page, principal_of,
                            [](const auto& row) { return std::to_string(row.id); });
}

std::map<std::string, Role> PrincipalService::roles(const Caller& caller) {
  if (!caller.principal) return {};
  std::map<std::string, Role> roles;
  if (caller.is_admin) {
    for (auto& name : database_.read("list namespaces", [&](schema::Transaction& tx) {
           return schema::list_namespace_names(tx, caller.only_namespace);
         })) {
      roles.emplace(std::move(name), Role::owner);
    }
    return roles;
  }
  for (const auto& grant : database_.read("list roles", [&](schema::Transaction& tx) {
         return schema::list_grants(tx, *caller.principal, caller.only_namespace);
       })) {
    roles.emplace(grant.ns, role_of(grant.role));
  }
  return roles;
}

}  // namespace mendel::registry
