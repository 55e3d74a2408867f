#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "schema/database.h"
#include "storage/base/clock.h"

namespace mendel::schema {

// Webhooks, and what came to them. Lists are newest first; before is the id of the last row
// that was seen.

struct HookRow {
  std::string id;  // UUID
  std::int64_t namespace_id = 0;
  std::string namespace_name;
  std::string kind;
  std::string repository;  // in its normal form
  std::string url;
  std::string key_id;
  std::vector<std::byte> sealed;
  Timestamp created_at;
  std::string created_by;
};

void insert_hook(Transaction& tx, const HookRow& row);
std::optional<HookRow> find_hook(Transaction& tx, std::string_view id);

// The same, and it stays until the end of the transaction.
std::optional<HookRow> share_hook(Transaction& tx, std::string_view id);
std::vector<HookRow> list_hooks(Transaction& tx, std::int64_t namespace_id,
                                const std::optional<std::string>& before,
                                std::size_t limit);
bool delete_hook(Transaction& tx, std::string_view id);

std::vector<HookRow> lock_hooks_of_other_keys(Transaction& tx, std::string_view key_id,
                                              std::size_t limit);
void update_sealed_hook(Transaction& tx, std::string_view id, std::string_view key_id,
                        const std::vector<std::byte>& sealed);

struct DeliveryRow {
  std::int64_t id = 0;
  std::optional<std::string> delivery;
  Timestamp received_at;
  std::optional<std::int64_t> event_id;
  std::string remark;
};

// The row's id; nullopt: the hook had this delivery before. Waits for another transaction
// that is inserting the same one.
std::optional<std::int64_t> insert_delivery(Transaction& tx, std::string_view hook_id,
                                            const DeliveryRow& row);
void set_delivery_event(Transaction& tx, std::int64_t id, std::int64_t event_id);
std::vector<DeliveryRow> list_deliveries(Transaction& tx, std::string_view hook_id,
                                         std::size_t limit);
void delete_deliveries_before(Transaction& tx, std::string_view hook_id, Timestamp time);

// Of those who listen to an event's topic, only triggers of this namespace are told of it.
void tell_only_namespace(Transaction& tx, std::int64_t event_id, std::int64_t namespace_id);

}  // namespace mendel::schema
