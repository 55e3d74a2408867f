#include "registry/services/egress/push_event.h"

#include <nlohmann/json.hpp>
#include <string_view>

#include "registry/services/triggers/events.h"
#include "schema/hooks.h"

namespace mendel::registry {

namespace {

using nlohmann::json;

constexpr std::string_view kBranch = "refs/heads/";
constexpr std::string_view kTag = "refs/tags/";

// Names of branches and files are bytes to git; what is no UTF-8 of them is replaced.
std::string text_of(const json& document) {
  return document.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace

std::int64_t record_push(schema::Transaction& tx, const PushEvent& push) {
  json payload{{"repository", push.repository},
               {"ref", push.ref},
               {"after", push.after},
               {"delivery", push.delivery}};
  if (push.ref.starts_with(kBranch)) payload["branch"] = push.ref.substr(kBranch.size());
  if (push.ref.starts_with(kTag)) payload["tag"] = push.ref.substr(kTag.size());
  if (push.before) payload["before"] = *push.before;
  if (push.paths) payload["paths"] = *push.paths;
  const auto event = record_event(tx, {.kind = EventKind::git_push,
                                       .topic = push_topic(push.repository),
                                       .ns = push.ns,
                                       .payload = text_of(payload),
                                       .chain = {},
                                       .cause_job = ""});
  schema::tell_only_namespace(tx, event, push.ns);
  return event;
}

}  // namespace mendel::registry
