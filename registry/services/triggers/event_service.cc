#include "registry/services/triggers/event_service.h"

#include <fmt/format.h>

#include <utility>

#include "registry/services/namespace_rows.h"
#include "registry/services/triggers/events.h"
#include "storage/base/error.h"

namespace mendel::registry {

Page<schema::EventRow> EventService::list(const Caller& caller,
                                          const std::optional<std::string>& state,
                                          const PageRequest& page) {
  auto rows = database_.read("list events", [&](schema::Transaction& tx) {
    return schema::list_events(tx, viewer_for(caller), state, id_after(page),
                               static_cast<std::int64_t>(page.limit) + 1);
  });
  return page_of<schema::EventRow>(
      std::move(rows), page, [](const schema::EventRow& row) { return row; },
      [](const schema::EventRow& row) { return std::to_string(row.id); });
}

schema::EventRow EventService::get(const Caller& caller, std::int64_t id) {
  auto event = database_.read(
      "find an event", [&](schema::Transaction& tx) { return schema::find_event(tx, id); });
  const auto may_see = [&] {
    if (!event) return false;
    if (!event->namespace_id) return caller.administers_server();
    return may_read(caller, access_.standing(
                                caller, Name::parse("a namespace", event->namespace_name)));
  };
  if (!may_see())
    throw Error(ErrorCode::not_found, fmt::format("there is no event {}", id));
  return *std::move(event);
}

schema::EventRow EventService::replay(const Caller& caller, std::int64_t id) {
  const auto event = get(caller, id);
  if (event.namespace_id) {
    access_.require(caller, Name::parse("a namespace", event.namespace_name), Role::writer);
  }
  const bool is_replayed = database_.transact(
      "replay an event",
      [&](schema::Transaction& tx) { return schema::replay_event(tx, id); });
  if (!is_replayed) {
    throw Error(ErrorCode::already_exists,
                fmt::format("event {} is {}, not parked", id, event.state));
  }
  changes_.announce(kEventsTopic);
  return get(caller, id);
}

}  // namespace mendel::registry
