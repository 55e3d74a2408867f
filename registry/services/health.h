#pragma once

#include <optional>
#include <string>

#include "schema/database.h"
#include "storage/object_store.h"

namespace mendel::registry {

// Whether the two stores can be reached. Any thread.
class HealthService {
 public:
  HealthService(schema::Database& database, storage::ObjectStore& objects);

  // Throws unavailable (or what the store threw) with the part that is away.
  void require_ready();

 private:
  schema::Database& database_;
  storage::ObjectStore& objects_;
};

}  // namespace mendel::registry
