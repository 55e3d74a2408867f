#include "registry/services/health.h"

#include "schema/health.h"

namespace mendel::registry {

HealthService::HealthService(schema::Database& database, storage::ObjectStore& objects)
    : database_(database), objects_(objects) {}

void HealthService::require_ready() {
  database_.read("answer /readyz", [](schema::Transaction& tx) { schema::ping(tx); });
  objects_.find("readyz");
}

}  // namespace mendel::registry
