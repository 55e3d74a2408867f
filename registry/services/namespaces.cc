#include "registry/services/namespaces.h"

#include <fmt/format.h>

#include "registry/services/access_topic.h"
#include "registry/services/audit.h"
#include "registry/services/namespace_rows.h"
#include "schema/access.h"
#include "schema/changes.h"
#include "storage/base/error.h"

namespace mendel::registry {

namespace {

constexpr std::size_t kDescriptionSizeMax = 4096;

void check(const NamespaceEdit& edit) {
  if (edit.description && edit.description->size() > kDescriptionSizeMax) {
    throw Error(
        ErrorCode::invalid_argument,
        fmt::format("a description has at most {} bytes", kDescriptionSizeMax),
        {{"/description", fmt::format("has more than {} bytes", kDescriptionSizeMax)}});
  }
}

void require_same_spelling(const schema::NamespaceRow& existing, const Name& name) {
  if (existing.name == name.text()) return;
  throw Error(
      ErrorCode::already_exists,
      fmt::format("there is a namespace {} already, and names differ by more than case",
                  existing.name));
}

schema::NamespaceRow get_made_meanwhile(std::optional<schema::NamespaceRow> row) {
  if (row) return *std::move(row);
  throw Error(ErrorCode::aborted, "the namespace came and went while it was being put");
}

Member member_of(const schema::MemberRow& row) {
  return {row.principal, role_of(row.role), row.granted_at};
}

// The namespace's row is locked, so that no two owners leave at once.
void require_another_owner(schema::Transaction& tx, const Caller& caller,
                           const NamespaceInfo& ns, const schema::MemberRow& leaving) {
  if (leaving.role != to_string(Role::owner) || caller.administers_server()) return;
  if (schema::count_owners(tx, ns.id) > 1) return;
  throw Error(ErrorCode::already_exists,
              fmt::format("{} is the last owner of {}: name another one first",
                          leaving.principal, ns.name));
}

void note_put(schema::Transaction& tx, const Caller& caller, std::string_view action,
              const schema::NamespaceRow& row) {
  note(tx, caller,
       {.action = action,
        .subject = row.name,
        .ns = row.id,
        .reason = "",
        .detail = {{"description", row.description}, {"visibility", row.visibility}}});
}

void lock(schema::Transaction& tx, const NamespaceInfo& ns) {
  if (schema::lock_namespace(tx, Name::parse("a namespace", ns.name).folded())) return;
  throw Error(ErrorCode::not_found, fmt::format("no namespace named {}", ns.name));
}

}  // namespace

NamespaceService::NamespaceService(schema::Database& database, ChangeFeed& changes,
                                   AccessService& access)
    : database_(database), changes_(changes), access_(access) {}

Put<NamespaceInfo> NamespaceService::put(const Caller& caller, const Name& name,
                                         const NamespaceEdit& edit,
                                         const Precondition<NamespaceInfo>& precondition) {
  check(edit);
  if (caller.is_anonymous()) throw Error(ErrorCode::unauthenticated, "this needs a token");
  if (!caller.administers_server()) {
    if (!may_read(caller, access_.standing(caller, name))) {
      throw Error(ErrorCode::permission_denied,
                  "only an administrator of this server makes namespaces");
    }
    access_.require(caller, name, Role::owner);
  }

  auto put = database_.transact("put a namespace", [&](schema::Transaction& tx) {
    schema::record_change(tx, kAccessTopic);
    auto row = schema::lock_namespace(tx, name.folded());
    if (!row) {
      precondition(nullptr);
      row = schema::insert_namespace(
          tx, name.text(), edit.description.value_or(""),
          to_string(edit.visibility.value_or(Visibility::private_)));
      if (row) {
        note_put(tx, caller, "namespace.create", *row);
        return Put<NamespaceInfo>{namespace_of(*row), Outcome::created};
      }
      row = get_made_meanwhile(schema::lock_namespace(tx, name.folded()));
    }
    const NamespaceInfo current = namespace_of(*row);
    precondition(&current);
    require_same_spelling(*row, name);
    if (edit.description) row->description = *edit.description;
    if (edit.visibility) row->visibility = to_string(*edit.visibility);
    schema::update_namespace(tx, *row);
    note_put(tx, caller, "namespace.change", *row);
    return Put<NamespaceInfo>{namespace_of(*row), Outcome::updated};
  });
  changes_.announce(kAccessTopic);
  return put;
}

Page<NamespaceInfo> NamespaceService::list(const Caller& caller, const PageRequest& page) {
  auto rows = database_.read("list namespaces", [&](schema::Transaction& tx) {
    return schema::list_namespaces(tx, viewer_for(caller), id_after(page), page.limit + 1);
  });
  return page_of<NamespaceInfo>(std::move(rows), page, namespace_of,
                                [](const auto& row) { return std::to_string(row.id); });
}

Put<Member> NamespaceService::put_member(const Caller& caller, const NamespaceInfo& ns,
                                         const Name& principal, Role role,
                                         const Precondition<Member>& precondition) {
  auto put = database_.transact("grant a role", [&](schema::Transaction& tx) {
    lock(tx, ns);
    const auto holder = schema::find_principal(tx, principal.folded());
    if (!holder) {
      throw Error(ErrorCode::not_found,
                  fmt::format("no principal named {}", principal.text()));
    }
    const auto row = schema::find_member(tx, ns.id, principal.folded());
    const auto current = row ? std::optional(member_of(*row)) : std::nullopt;
    precondition(current ? &*current : nullptr);
    if (row && role != Role::owner) require_another_owner(tx, caller, ns, *row);

    schema::record_change(tx, kAccessTopic);
    note(tx, caller,
         {.action = "member.grant",
          .subject = holder->name,
          .ns = ns.id,
          .reason = "",
          .detail = {
              {"role", std::string(to_string(role))},
              {"before", std::string(to_string(current ? current->role : Role::none))}}});
    return Put<Member>{
        member_of(schema::upsert_member(tx, ns.id, holder->id, to_string(role))),
        row ? Outcome::updated : Outcome::created};
  });
  changes_.announce(kAccessTopic);
  return put;
}

void NamespaceService::remove_member(const Caller& caller, const NamespaceInfo& ns,
                                     const Name& principal,
                                     const Precondition<Member>& precondition) {
  database_.transact("take a role away", [&](schema::Transaction& tx) {
    lock(tx, ns);
    const auto row = schema::find_member(tx, ns.id, principal.folded());
    if (!row) {
      throw Error(ErrorCode::not_found,
                  fmt::format("{} has no member named {}", ns.name, principal.text()));
    }
    const Member current = member_of(*row);
    precondition(&current);
    require_another_owner(tx, caller, ns, *row);

    schema::record_change(tx, kAccessTopic);
    schema::delete_member(tx, ns.id, row->principal_id);
    note(tx, caller,
         {.action = "member.revoke",
          .subject = current.principal,
          .ns = ns.id,
          .reason = "",
          .detail = {{"role", std::string(to_string(current.role))}}});
  });
  changes_.announce(kAccessTopic);
}

Page<Member> NamespaceService::list_members(const NamespaceInfo& ns,
                                            const PageRequest& page) {
  auto rows = database_.read("list members", [&](schema::Transaction& tx) {
    return schema::list_members(tx, ns.id, id_after(page), page.limit + 1);
  });
  return page_of<Member>(std::move(rows), page, member_of,
                         [](const auto& row) { return std::to_string(row.principal_id); });
}

}  // namespace mendel::registry
