#include "registry/api/events.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "registry/api/json.h"
#include "registry/services/triggers/event_service.h"

namespace mendel::registry::api {

namespace {

using nlohmann::json;

json event_json(const schema::EventRow& event) {
  json document{{"id", event.id},
                {"kind", event.kind},
                {"topic", event.topic},
                {"created_at", format_rfc3339(event.created_at)},
                {"state", event.state},
                {"payload", json::parse(event.payload)},
                {"failures", event.failures}};
  if (!event.namespace_name.empty()) document["namespace"] = event.namespace_name;
  if (event.cause_job) document["job"] = *event.cause_job;
  if (event.retry_at) document["retry_at"] = format_rfc3339(*event.retry_at);
  if (!event.problem.empty()) document["problem"] = event.problem;
  if (event.consumed_at) document["consumed_at"] = format_rfc3339(*event.consumed_at);
  return document;
}

std::optional<std::string> state_filter(const Request& request) {
  constexpr std::array<std::string_view, 3> kStates{"unconsumed", "consumed", "parked"};
  const auto state = request.query("state");
  if (!state) return std::nullopt;
  if (std::ranges::find(kStates, *state) == kStates.end()) {
    throw Error(ErrorCode::invalid_argument, "state is unconsumed, consumed or parked");
  }
  return std::string(*state);
}

// What is no number is the number of no event.
std::int64_t id_of(const Request& request) {
  const std::string_view text = request.path("id");
  std::int64_t id = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (status != std::errc() || end != text.data() + text.size()) {
    throw Error(ErrorCode::not_found, "there is no event " + std::string(text));
  }
  return id;
}

}  // namespace

Response list_events(const Request& request, Services& services) {
  const auto page = services.events.list(request.caller(), state_filter(request),
                                         {request.limit(), request.after()});

  auto items = json::array();
  for (const auto& event : page.items) items.push_back(event_json(event));
  return with_etag(request, list_response(std::move(items), page.next));
}

Response get_event(const Request& request, Services& services) {
  const auto event = services.events.get(request.caller(), id_of(request));
  return with_etag(request, json_response(200, event_json(event)));
}

Response replay_event(const Request& request, Services& services) {
  if (!request.body().empty()) ObjectReader(request.json()).finish();
  return json_response(
      200, event_json(services.events.replay(request.caller(), id_of(request))));
}

}  // namespace mendel::registry::api
