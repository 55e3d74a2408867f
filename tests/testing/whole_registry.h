#pragma once

#include "registry/api/version_json.h"
#include "registry/services/registry.h"
#include "storage/memory_object_store.h"
#include "tests/testing/manual_clock.h"
#include "tests/testing/outside_of_tests.h"

namespace mendel::testing {

struct TimeAndMemory {
  ManualClock clock{parse_rfc3339("2024-02-13T00:00:00Z")};
  storage::MemoryObjectStore objects;
};

// All services of one server, over a database that is first asked when one of them needs
// it.
struct WholeRegistry : TimeAndMemory, registry::Registry {
  explicit WholeRegistry(schema::Database& database)
      : Registry(database, database, objects, clock, registry::api::render_version,
                 /*client_directory=*/"", outside_of_tests()) {}
};

}  // namespace mendel::testing
