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

// Secrets of namespaces, as they are sealed. Names are looked up by their folded form.

struct SecretRow {
  std::int64_t id = 0;
  std::int64_t namespace_id = 0;
  std::string name;
  std::string folded_name;
  std::string key_id;
  std::vector<std::byte> sealed;
  Timestamp created_at;
  Timestamp updated_at;
  std::string updated_by;
};

// Whether it is new; one that exists keeps its spelling and gets another value.
bool upsert_secret(Transaction& tx, const SecretRow& row);
bool delete_secret(Transaction& tx, std::int64_t namespace_id, std::string_view folded);

// By name, without what is sealed; after: the folded name of the last one that was seen.
std::vector<SecretRow> list_secrets(Transaction& tx, std::int64_t namespace_id,
                                    std::string_view after, std::size_t limit);
std::vector<SecretRow> find_secrets(Transaction& tx, std::int64_t namespace_id,
                                    const std::vector<std::string>& folded);

// Those that were sealed with another key, locked, the oldest first.
std::vector<SecretRow> lock_secrets_of_other_keys(Transaction& tx, std::string_view key_id,
                                                  std::size_t limit);
void update_sealed_secret(Transaction& tx, std::int64_t id, std::string_view key_id,
                          const std::vector<std::byte>& sealed);

}  // namespace mendel::schema
