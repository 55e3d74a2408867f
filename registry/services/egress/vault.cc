#include "registry/services/egress/vault.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "registry/services/audit.h"
#include "schema/hooks.h"
#include "schema/secrets.h"
#include "storage/base/error.h"

namespace mendel::registry {

namespace {

constexpr std::size_t kRotatedAtOnce = 100;

std::string purpose_of(NamespaceId ns, const std::string& folded_name) {
  return fmt::format("secret {}/{}", ns, folded_name);
}

void check_value(std::string_view value) {
  if (value.empty()) {
    throw Error(ErrorCode::invalid_argument, "a secret must not be empty",
                {{"/value", "must not be empty"}});
  }
  if (value.size() > Vault::kValueSizeMax) {
    throw Error(ErrorCode::invalid_argument, "a secret has at most 64 KiB",
                {{"/value", "has more than 65536 bytes"}});
  }
  // It becomes a variable of a command's environment.
  if (value.find('\0') != std::string_view::npos) {
    throw Error(ErrorCode::invalid_argument, "a secret must not hold a NUL",
                {{"/value", "must not hold a NUL"}});
  }
}

}  // namespace

Outcome Vault::put(const Caller& caller, const NamespaceInfo& ns, const Name& name,
                   std::string_view value) {
  check_value(value);
  auto sealed = keys_.seal(purpose_of(ns.id, name.folded()), value);
  const schema::SecretRow row{.namespace_id = ns.id,
                              .name = name.text(),
                              .folded_name = name.folded(),
                              .key_id = std::move(sealed.key_id),
                              .sealed = std::move(sealed.bytes),
                              .created_at = clock_.now(),
                              .updated_at = clock_.now(),
                              .updated_by = caller.name};
  return database_.transact("keep a secret", [&](schema::Transaction& tx) {
    const bool is_new = schema::upsert_secret(tx, row);
    note(tx, caller,
         {.action = is_new ? "secret.create" : "secret.change",
          .subject = ns.name + "/" + name.text(),
          .ns = ns.id,
          .reason = "",
          .detail = {}});
    return is_new ? Outcome::created : Outcome::updated;
  });
}

Page<Secret> Vault::list(const NamespaceInfo& ns, const PageRequest& page) {
  auto rows = database_.read("list secrets", [&](schema::Transaction& tx) {
    return schema::list_secrets(tx, ns.id, page.after.value_or(""), page.limit + 1);
  });
  return page_of<Secret>(
      std::move(rows), page,
      [](const auto& row) {
        return Secret{row.name, row.created_at, row.updated_at, row.updated_by};
      },
      [](const auto& row) { return row.folded_name; });
}

void Vault::remove(const Caller& caller, const NamespaceInfo& ns, const Name& name) {
  database_.transact("remove a secret", [&](schema::Transaction& tx) {
    if (!schema::delete_secret(tx, ns.id, name.folded())) {
      throw Error(ErrorCode::not_found,
                  fmt::format("{} has no secret {}", ns.name, name.text()));
    }
    note(tx, caller,
         {.action = "secret.delete",
          .subject = ns.name + "/" + name.text(),
          .ns = ns.id,
          .reason = "",
          .detail = {}});
  });
}

std::map<std::string, std::string> Vault::open(
    schema::Transaction& tx, NamespaceId ns, const std::vector<std::string>& names) const {
  std::map<std::string, std::string> by_folded;
  for (const auto& name : names)
    by_folded.try_emplace(Name::parse("a secret", name).folded());
  std::vector<std::string> folded;
  for (const auto& [name, value] : by_folded) folded.push_back(name);
  std::map<std::string, std::string> values;
  if (names.empty()) return values;

  std::vector<std::string> found;
  for (const auto& row : schema::find_secrets(tx, ns, folded)) {
    by_folded[row.folded_name] =
        keys_.open(purpose_of(ns, row.folded_name), {row.key_id, row.sealed});
    found.push_back(row.folded_name);
  }
  std::vector<std::string> missing;
  for (const auto& name : names) {
    const std::string key = Name::parse("a secret", name).folded();
    if (std::ranges::find(found, key) == found.end()) missing.push_back(name);
    values[name] = by_folded[key];
  }
  if (!missing.empty()) {
    throw Error(ErrorCode::failed_precondition,
                fmt::format("there is no secret {}", fmt::join(missing, ", ")));
  }
  return values;
}

std::size_t Vault::rotate(const Caller& caller) {
  if (keys_.newest().empty())
    throw Error(ErrorCode::unavailable, "this server has no secret key");
  std::size_t count = 0;
  for (std::size_t some = 1; some > 0; count += some) some = rotate_some();
  database_.transact("note a rotation", [&](schema::Transaction& tx) {
    note(tx, caller,
         {.action = "secret.rotate",
          .subject = keys_.newest(),
          .ns = std::nullopt,
          .reason = "",
          .detail = {{"secrets", std::to_string(count)}}});
  });
  return count;
}

std::size_t Vault::rotate_some() {
  return database_.transact("rotate secrets", [&](schema::Transaction& tx) {
    const auto secrets =
        schema::lock_secrets_of_other_keys(tx, keys_.newest(), kRotatedAtOnce);
    for (const auto& row : secrets) {
      const std::string purpose = purpose_of(row.namespace_id, row.folded_name);
      const auto sealed =
          keys_.seal(purpose, keys_.open(purpose, {row.key_id, row.sealed}));
      schema::update_sealed_secret(tx, row.id, sealed.key_id, sealed.bytes);
    }
    const auto hooks = schema::lock_hooks_of_other_keys(tx, keys_.newest(), kRotatedAtOnce);
    for (const auto& row : hooks) {
      const std::string purpose = hook_purpose(row.id);
      const auto sealed =
          keys_.seal(purpose, keys_.open(purpose, {row.key_id, row.sealed}));
      schema::update_sealed_hook(tx, row.id, sealed.key_id, sealed.bytes);
    }
    return secrets.size() + hooks.size();
  });
}

std::string hook_purpose(const std::string& hook_id) { return "hook " + hook_id; }

}  // namespace mendel::registry
