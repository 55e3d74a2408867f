#include "registry/services/egress/hooks.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "registry/services/audit.h"
#include "registry/services/egress/authority.h"
#include "registry/services/egress/push_event.h"
#include "registry/services/egress/repository_url.h"
#include "registry/services/triggers/events.h"
#include "storage/base/error.h"
#include "storage/base/uuid.h"

namespace mendel::registry {

namespace {

constexpr std::size_t kBodySizeMax = 1u << 20;
constexpr std::size_t kGithubBodySizeMax = 25u << 20;
constexpr std::size_t kDeliveriesShown = 20;
constexpr auto kDeliveriesKept = std::chrono::days(30);
constexpr std::size_t kSecretSizeMin = 16;
constexpr std::size_t kSecretSizeMax = 255;

Hook hook_of(const schema::HookRow& row) {
  return {row.id,  row.namespace_id, row.namespace_name, *parse_hook_kind(row.kind),
          row.url, row.created_at,   row.created_by};
}

Error no_hook(std::string_view id) {
  return {ErrorCode::not_found, fmt::format("there is no hook {}", id)};
}

void check_secret(std::string_view secret) {
  if (secret.size() < kSecretSizeMin || secret.size() > kSecretSizeMax ||
      !std::ranges::all_of(secret, [](char c) { return c > ' ' && c <= '~'; })) {
    throw Error(ErrorCode::invalid_argument,
                "the secret of a hook has 16 to 255 printable characters, without spaces",
                {{"/secret", "must have 16 to 255 printable characters, without spaces"}});
  }
}

// Hosts of these kinds take names in any case.
bool is_of(HookKind kind, const std::string& repository, const Push& push) {
  return std::ranges::any_of(push.repositories, [&](const std::string& address) {
    try {
      const std::string given = normal_repository(address);
      return kind == HookKind::generic ? given == repository
                                       : lower_case(given) == lower_case(repository);
    } catch (const Error&) {  // not an address of the kind that hooks are for
      return false;
    }
  });
}

}  // namespace

std::size_t HookService::Receiver::body_size_max() const {
  return kind_ == HookKind::github ? kGithubBodySizeMax : kBodySizeMax;
}

HookService::Made HookService::create(const Caller& caller, const Wanted& wanted) {
  const auto ns = access_.require(caller, wanted.ns, Role::writer).ns;
  const std::string secret = wanted.secret ? *wanted.secret : make_hook_secret();
  check_secret(secret);
  const auto url = RepositoryUrl::parse(wanted.repository);
  const std::string id = make_uuid_v7(clock_.now());
  auto sealed = vault_.keys().seal(hook_purpose(id), secret);
  // A password in the address is nothing to keep.
  const schema::HookRow row{.id = id,
                            .namespace_id = ns.id,
                            .namespace_name = ns.name,
                            .kind = std::string(to_string(wanted.kind)),
                            .repository = normal_repository(wanted.repository),
                            .url = url.scheme.empty() ? wanted.repository : url.text(),
                            .key_id = std::move(sealed.key_id),
                            .sealed = std::move(sealed.bytes),
                            .created_at = clock_.now(),
                            .created_by = caller.name};
  database_.transact("make a hook", [&](schema::Transaction& tx) {
    schema::insert_hook(tx, row);
    note(tx, caller,
         {.action = "hook.create",
          .subject = id,
          .ns = ns.id,
          .reason = "",
          .detail = {{"kind", row.kind}, {"repository", row.repository}}});
  });
  return {hook_of(row), secret};
}

Page<Hook> HookService::list(const Caller& caller, const Name& name,
                             const PageRequest& page) {
  const auto ns = access_.require(caller, name, Role::writer).ns;
  std::optional<std::string> before;
  if (page.after) {
    if (!is_uuid(*page.after))
      throw Error(ErrorCode::invalid_argument, "after is no id of a hook");
    before = *page.after;
  }
  auto rows = database_.read("list hooks", [&](schema::Transaction& tx) {
    return schema::list_hooks(tx, ns.id, before, page.limit + 1);
  });
  return page_of<Hook>(std::move(rows), page, hook_of,
                       [](const auto& row) { return row.id; });
}

schema::HookRow HookService::get_row(schema::Transaction& tx, const Caller& caller,
                                     std::string_view id) {
  auto row = is_uuid(id) ? schema::find_hook(tx, id) : std::nullopt;
  if (!row) throw no_hook(id);
  const Name ns = Name::parse("a namespace", row->namespace_name);
  if (access_.standing(caller, ns).role < Role::reader) throw no_hook(id);
  access_.require(caller, ns, Role::writer);
  return *std::move(row);
}

HookService::Details HookService::get(const Caller& caller, std::string_view id) {
  return database_.read("get a hook", [&](schema::Transaction& tx) {
    return Details{hook_of(get_row(tx, caller, id)),
                   schema::list_deliveries(tx, id, kDeliveriesShown)};
  });
}

void HookService::remove(const Caller& caller, std::string_view id) {
  database_.transact("remove a hook", [&](schema::Transaction& tx) {
    const auto row = get_row(tx, caller, id);
    if (!schema::delete_hook(tx, id)) throw no_hook(id);
    note(tx, caller,
         {.action = "hook.delete",
          .subject = row.id,
          .ns = row.namespace_id,
          .reason = "",
          .detail = {{"kind", row.kind}, {"repository", row.repository}}});
  });
}

// A hook that is not there is given a secret that nobody knows, so that the same work is
// done for it.
HookService::Receiver HookService::receiver(std::string_view kind, std::string_view id) {
  const auto known = parse_hook_kind(kind);
  if (!known) throw Error(ErrorCode::not_found, "there is no such kind of hook");
  Receiver receiver;
  receiver.kind_ = *known;
  if (is_uuid(id)) {
    receiver.row_ = database_.read(
        "find a hook", [&](schema::Transaction& tx) { return schema::find_hook(tx, id); });
  }
  if (receiver.row_ && receiver.row_->kind != kind) receiver.row_.reset();
  receiver.secret_ =
      receiver.row_ ? vault_.keys().open(hook_purpose(receiver.row_->id),
                                         {receiver.row_->key_id, receiver.row_->sealed})
                    : make_hook_secret();
  return receiver;
}

HookService::Received HookService::receive(const Receiver& receiver,
                                           const HeaderLookup& header,
                                           std::string_view body) {
  const bool genuine =
      is_genuine(receiver.kind_, header, body, receiver.secret_, clock_.now());
  if (!genuine || !receiver.exists()) {
    throw Error(ErrorCode::not_found,
                "there is no such hook, or its secret is another: look at the hook's "
                "address and secret where its deliveries are configured");
  }
  const auto& hook = *receiver.row_;
  schema::DeliveryRow delivery{.id = 0,
                               .delivery = delivery_id(receiver.kind_, header, body),
                               .received_at = clock_.now(),
                               .event_id = std::nullopt,
                               .remark = ""};
  const auto tidings = read_push(receiver.kind_, header, body);
  if (const auto* other = std::get_if<NoPush>(&tidings)) {
    delivery.remark = other->why;
    return note_delivery(hook, std::move(delivery), std::nullopt);
  }
  const auto& push = std::get<Push>(tidings);
  const bool names_none = receiver.kind_ == HookKind::generic && push.repositories.empty();
  if (!names_none && !is_of(receiver.kind_, hook.repository, push)) {
    delivery.remark = "it is of another repository";
    return note_delivery(hook, std::move(delivery), std::nullopt);
  }
  delivery.remark = push.ref;
  auto received = note_delivery(hook, std::move(delivery), push);
  if (std::holds_alternative<Event>(received)) changes_.announce(kEventsTopic);
  return received;
}

HookService::Received HookService::note_delivery(const schema::HookRow& hook,
                                                 schema::DeliveryRow delivery,
                                                 const std::optional<Push>& push) {
  return database_.transact("note a delivery", [&](schema::Transaction& tx) -> Received {
    if (!schema::share_hook(tx, hook.id)) throw no_hook(hook.id);
    const auto id = schema::insert_delivery(tx, hook.id, delivery);
    if (!id) return Duplicate{};
    schema::delete_deliveries_before(tx, hook.id, clock_.now() - kDeliveriesKept);
    if (!push) return NoPush{delivery.remark};
    const Event event{record_push(
        tx, {.ns = hook.namespace_id,
             .repository = hook.repository,
             .ref = push->ref,
             .before = push->before,
             .after = push->after,
             .paths = push->paths,
             .delivery = "hook " + hook.id + " " + delivery.delivery.value_or("")})};
    schema::set_delivery_event(tx, *id, event.id);
    return event;
  });
}

}  // namespace mendel::registry
