#include "tests/fuzz/hostile_trigger.h"

#include <cstdlib>

#include "registry/api/json.h"
#include "registry/api/trigger_body.h"
#include "registry/services/triggers/cron.h"
#include "registry/services/triggers/trigger_document.h"
#include "storage/base/digest.h"
#include "storage/base/error.h"

namespace mendel::testing {

namespace {

void require(bool promise) {
  if (!promise) std::abort();
}

}  // namespace

// The first line is the zone.
bool parse_hostile_schedule(std::span<const std::byte> input) {
  const std::string_view text = as_text(input);
  const auto newline = text.find('\n');
  const auto zone = newline == std::string_view::npos ? "UTC" : text.substr(0, newline);
  const auto expression =
      newline == std::string_view::npos ? text : text.substr(newline + 1);
  try {
    const auto schedule = registry::Schedule::parse(expression, zone);
    Timestamp time = parse_rfc3339("2024-03-30T12:00:00Z");
    for (int i = 0; i < 3; ++i) {
      const Timestamp next = schedule.next(time);
      require(next > time);
      time = next;
    }
    return true;
  } catch (const Error& error) {
    require(error.code() == ErrorCode::invalid_argument);
    return false;
  }
}

bool parse_hostile_trigger(std::span<const std::byte> input) {
  std::string document;
  try {
    document = registry::api::read_trigger_body(registry::api::parse_json(as_text(input)));
  } catch (const Error& error) {
    require(error.code() == ErrorCode::invalid_argument);
    return false;
  }
  // What was taken can be read when it comes back from the database.
  require(registry::api::read_trigger_body(registry::api::parse_json(document)) ==
          document);
  const auto trigger = registry::TriggerDocument::parse(document);
  require(!trigger.leaves.empty());
  require(!registry::describe(trigger).empty());
  require(trigger.topics().size() <= trigger.leaves.size());
  const Timestamp now = parse_rfc3339("2024-03-30T12:00:00Z");
  if (const auto next = trigger.next_time(now)) require(*next > now);
  return true;
}

}  // namespace mendel::testing
