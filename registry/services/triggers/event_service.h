#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "registry/services/access.h"
#include "registry/services/caller.h"
#include "registry/services/change_feed.h"
#include "registry/services/page.h"
#include "schema/database.h"
#include "schema/events.h"

namespace mendel::registry {

// What has happened, for those who want to see it or have it told again. Any thread.
class EventService {
 public:
  EventService(schema::Database& database, ChangeFeed& changes, AccessService& access)
      : database_(database), changes_(changes), access_(access) {}

  // Those in namespaces that the caller may read, newest first; of one state, if given.
  // What happened outside is for administrators.
  Page<schema::EventRow> list(const Caller& caller, const std::optional<std::string>& state,
                              const PageRequest& page);

  // Throws not_found also for one that the caller may not read.
  schema::EventRow get(const Caller& caller, std::int64_t id);

  // Tells a parked event to those that it could not be told to. The caller must be a writer
  // where it happened. Throws already_exists for one that is not parked.
  schema::EventRow replay(const Caller& caller, std::int64_t id);

 private:
  schema::Database& database_;
  ChangeFeed& changes_;
  AccessService& access_;
};

}  // namespace mendel::registry
