#include "schema/hooks.h"

#include "schema/transaction.h"

namespace mendel::schema {

namespace {

constexpr Statement kInsertHook{"insert_hook", R"sql(
    insert into hook (id, namespace_id, kind, repository, url, key_id, sealed, created_at,
                      created_by)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
  )sql"};

constexpr Statement kFindHook{"find_hook", R"sql(
    select h.id, h.namespace_id, n.name as namespace_name, h.kind, h.repository, h.url,
           h.key_id, h.sealed, h.created_at, h.created_by
      from hook h join namespace n on n.id = h.namespace_id
     where h.id = $1
  )sql"};

constexpr Statement kShareHook{"share_hook", R"sql(
    select h.id, h.namespace_id, n.name as namespace_name, h.kind, h.repository, h.url,
           h.key_id, h.sealed, h.created_at, h.created_by
      from hook h join namespace n on n.id = h.namespace_id
     where h.id = $1
       for share of h
  )sql"};

constexpr Statement kListHooks{"list_hooks", R"sql(
    select h.id, h.namespace_id, n.name as namespace_name, h.kind, h.repository, h.url,
           h.key_id, h.sealed, h.created_at, h.created_by
      from hook h join namespace n on n.id = h.namespace_id
     where h.namespace_id = $1 and ($2::uuid is null or h.id < $2)
     order by h.id desc
     limit $3
  )sql"};

constexpr Statement kDeleteHook{"delete_hook", R"sql(
    delete from hook where id = $1
  )sql"};

constexpr Statement kLockHooksOfOtherKeys{"lock_hooks_of_other_keys", R"sql(
    select h.id, h.namespace_id, n.name as namespace_name, h.kind, h.repository, h.url,
           h.key_id, h.sealed, h.created_at, h.created_by
      from hook h join namespace n on n.id = h.namespace_id
     where h.key_id <> $1
     order by h.id
     limit $2
       for update of h
  )sql"};

constexpr Statement kUpdateSealedHook{"update_sealed_hook", R"sql(
    update hook set key_id = $2, sealed = $3 where id = $1
  )sql"};

constexpr Statement kInsertDelivery{"insert_delivery", R"sql(
    insert into hook_delivery (hook_id, delivery, received_at, event_id, remark)
    values ($1, $2, $3, $4, $5)
    on conflict on constraint hook_delivery_counts_once do nothing
    returning id
  )sql"};

constexpr Statement kSetDeliveryEvent{"set_delivery_event", R"sql(
    update hook_delivery set event_id = $2 where id = $1
  )sql"};

constexpr Statement kListDeliveries{"list_deliveries", R"sql(
    select id, delivery, received_at, event_id, remark
      from hook_delivery
     where hook_id = $1
     order by id desc
     limit $2
  )sql"};

constexpr Statement kDeleteDeliveriesBefore{"delete_deliveries_before", R"sql(
    delete from hook_delivery where hook_id = $1 and received_at < $2
  )sql"};

constexpr Statement kTellOnlyNamespace{"tell_only_namespace", R"sql(
    update event e
       set only_triggers = array(select t.id
                                   from trigger_topic k join trigger t on t.id = k.trigger_id
                                  where k.topic = e.topic and t.namespace_id = $2
                                  order by t.id)
     where e.id = $1
  )sql"};

HookRow hook_of(const Row& row) {
  return {at<std::string>(row, "id"),
          at<std::int64_t>(row, "namespace_id"),
          at<std::string>(row, "namespace_name"),
          at<std::string>(row, "kind"),
          at<std::string>(row, "repository"),
          at<std::string>(row, "url"),
          at<std::string>(row, "key_id"),
          at<std::vector<std::byte>>(row, "sealed"),
          at<Timestamp>(row, "created_at"),
          at<std::string>(row, "created_by")};
}

std::optional<HookRow> hook_of(const std::optional<Row>& row) {
  if (!row) return std::nullopt;
  return hook_of(*row);
}

std::vector<HookRow> hooks_of(const Rows& rows) {
  std::vector<HookRow> hooks;
  for (const auto& row : rows) hooks.push_back(hook_of(row));
  return hooks;
}

}  // namespace

void insert_hook(Transaction& tx, const HookRow& row) {
  tx.exec(kInsertHook, row.id, row.namespace_id, row.kind, row.repository, row.url,
          row.key_id, row.sealed, row.created_at, row.created_by);
}

std::optional<HookRow> find_hook(Transaction& tx, std::string_view id) {
  return hook_of(tx.exec_optional(kFindHook, id));
}

std::optional<HookRow> share_hook(Transaction& tx, std::string_view id) {
  return hook_of(tx.exec_optional(kShareHook, id));
}

std::vector<HookRow> list_hooks(Transaction& tx, std::int64_t namespace_id,
                                const std::optional<std::string>& before,
                                std::size_t limit) {
  return hooks_of(tx.exec(kListHooks, namespace_id, before, limit));
}

bool delete_hook(Transaction& tx, std::string_view id) {
  return tx.exec_counting(kDeleteHook, id) > 0;
}

std::vector<HookRow> lock_hooks_of_other_keys(Transaction& tx, std::string_view key_id,
                                              std::size_t limit) {
  return hooks_of(tx.exec(kLockHooksOfOtherKeys, key_id, limit));
}

void update_sealed_hook(Transaction& tx, std::string_view id, std::string_view key_id,
                        const std::vector<std::byte>& sealed) {
  tx.exec(kUpdateSealedHook, id, key_id, sealed);
}

std::optional<std::int64_t> insert_delivery(Transaction& tx, std::string_view hook_id,
                                            const DeliveryRow& row) {
  const auto inserted = tx.exec_optional(kInsertDelivery, hook_id, row.delivery,
                                         row.received_at, row.event_id, row.remark);
  if (!inserted) return std::nullopt;
  return at<std::int64_t>(*inserted, "id");
}

void set_delivery_event(Transaction& tx, std::int64_t id, std::int64_t event_id) {
  tx.exec(kSetDeliveryEvent, id, event_id);
}

std::vector<DeliveryRow> list_deliveries(Transaction& tx, std::string_view hook_id,
                                         std::size_t limit) {
  std::vector<DeliveryRow> deliveries;
  for (const auto& row : tx.exec(kListDeliveries, hook_id, limit)) {
    deliveries.push_back(
        {at<std::int64_t>(row, "id"), at<std::optional<std::string>>(row, "delivery"),
         at<Timestamp>(row, "received_at"),
         at<std::optional<std::int64_t>>(row, "event_id"), at<std::string>(row, "remark")});
  }
  return deliveries;
}

void tell_only_namespace(Transaction& tx, std::int64_t event_id,
                         std::int64_t namespace_id) {
  tx.exec(kTellOnlyNamespace, event_id, namespace_id);
}

void delete_deliveries_before(Transaction& tx, std::string_view hook_id, Timestamp time) {
  tx.exec(kDeleteDeliveriesBefore, hook_id, time);
}

}  // namespace mendel::schema
