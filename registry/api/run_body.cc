#include "registry/api/run_body.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "registry/api/json.h"
#include "registry/api/pedigree_body.h"
#include "storage/base/uuid.h"
#include "storage/manifest.h"

namespace mendel::registry::api {

namespace {

using nlohmann::json;

constexpr std::int64_t kHeartbeatSecondsMin = 30;
constexpr std::int64_t kHeartbeatSecondsMax = 86'400;
constexpr std::size_t kPlaceSizeMax = 255;  // of a host or a site
constexpr std::size_t kCommandSizeMax = 128 * 1024;
constexpr std::int64_t kExitStatusMax = 255;

// Where a name is missing or wrong, the document is refused anyway.
Name read_name(ObjectReader& body, std::string_view member, std::string_view what) {
  const auto name =
      body.parsed(member, [&](const std::string& text) { return Name::parse(what, text); });
  if (!body.has(member)) body.problem(member, "is required");
  return name.value_or(Name::parse(what, "nobody"));
}

std::optional<std::string> read_id(ObjectReader& body) {
  auto id = body.optional_string("id");
  if (id && !is_uuid(*id)) {
    body.problem("id", "must be a UUID in lower case, best of version 7");
    id.reset();
  }
  return id;
}

std::optional<Timestamp> read_time(ObjectReader& body, std::string_view member) {
  return body.parsed(member, [](const std::string& text) { return parse_rfc3339(text); });
}

std::optional<std::int32_t> read_integer(ObjectReader& body, std::string_view member,
                                         std::int64_t min, std::int64_t max) {
  const auto number = body.optional_integer(member);
  if (!number) return std::nullopt;
  if (*number < min || *number > max) {
    body.problem(member, fmt::format("must be from {} to {}", min, max));
    return std::nullopt;
  }
  return static_cast<std::int32_t>(*number);
}

// An argument vector: never one string for a shell to take apart.
std::optional<std::string> read_command(ObjectReader& body) {
  if (!body.has("command")) return std::nullopt;
  const auto words = body.optional_strings("command");
  std::size_t size = 0;
  for (const std::string& word : words) {
    size += word.size();
    if (word.find('\0') != std::string::npos) {
      body.problem("command", "must not contain a NUL character");
    }
  }
  if (words.empty() || size > kCommandSizeMax) {
    body.problem("command",
                 fmt::format("is a list of words, of at most {} bytes", kCommandSizeMax));
  }
  return json(words).dump(-1, ' ', false, json::error_handler_t::replace);
}

// Below the root of the source, so that it means the same wherever that is laid out.
std::string read_directory(ObjectReader& body) {
  const auto directory = body.optional_string("directory").value_or("");
  if (directory.empty()) return "";
  if (const auto problem = storage::path_problem(directory)) {
    body.problem("directory", *problem);
  }
  return directory;
}

KeepRule read_keep(ObjectReader& body) {
  return body.parsed("keep", KeepRule::parse).value_or(KeepRule::parse(""));
}

std::optional<std::string> read_labels_object(ObjectReader& body) {
  if (!body.has("labels")) return std::nullopt;
  return json(read_labels(body)).dump();
}

void check_amount(ObjectReader& resources, const char* member) {
  const auto value = resources.optional_value(member);
  if (!value) return;
  const bool is_good = value->is_number() && std::isfinite(value->get<double>()) &&
                       value->get<double>() >= 0;
  if (!is_good) resources.problem(member, "must be a number, not negative");
}

void check_place(ObjectReader& resources, const char* member) {
  const auto text = resources.optional_string(member);
  if (!text) return;
  if (text->empty() || text->size() > kPlaceSizeMax ||
      text->find('\0') != std::string::npos) {
    resources.problem(member, fmt::format("has 1 to {} bytes, without NUL", kPlaceSizeMax));
  }
}

std::optional<std::string> read_resources(ObjectReader& body) {
  auto object = body.optional_object("resources");
  if (!object) return std::nullopt;
  ObjectReader resources(*object, "/resources");
  for (const char* member : {"wall_seconds", "cpu_seconds", "gpu_seconds", "energy_kwh"}) {
    check_amount(resources, member);
  }
  const auto memory = resources.optional_integer("peak_memory_bytes");
  if (memory && *memory < 0) {
    resources.problem("peak_memory_bytes", "must not be negative");
  }
  check_place(resources, "host");
  check_place(resources, "site");
  body.adopt(resources);
  return object->dump();
}

std::optional<std::string> read_status(ObjectReader& body) {
  constexpr std::array<std::string_view, 4> kStatuses{"running", "finished", "failed",
                                                      "killed"};
  auto status = body.optional_string("status");
  if (status && std::ranges::find(kStatuses, *status) == kStatuses.end()) {
    body.problem("status", "must be finished, failed, killed or running");
    status.reset();
  }
  return status;
}

}  // namespace

RunBody read_run_body(const json& document) {
  ObjectReader body(document);
  RunBody run{
      .ns = read_name(body, "namespace", "a namespace"),
      .run = {.uuid = read_id(body),
              .name = read_name(body, "name", "a run"),
              .digest = Digest::of(document.dump()),
              .hyperparameters = read_hyperparameters(body),
              .source = read_source(body),
              .labels = read_labels_object(body).value_or("{}"),
              .message = read_message(body),
              .command = read_command(body),
              .directory = read_directory(body),
              .heartbeat_seconds = read_integer(body, "heartbeat_seconds",
                                                kHeartbeatSecondsMin, kHeartbeatSecondsMax),
              .keep = read_keep(body),
              .started_at = read_time(body, "started_at"),
              .inputs = {}},
      .inputs = read_inputs(body)};
  body.finish();
  return run;
}

RunService::Change read_run_change(json document) {
  ObjectReader body(std::move(document));
  RunService::Change change{
      .status = read_status(body),
      .finished_at = read_time(body, "finished_at"),
      .exit_status = read_integer(body, "exit_status", -kExitStatusMax, kExitStatusMax),
      .labels = read_labels_object(body),
      .resources = read_resources(body)};
  body.finish();
  return change;
}

}  // namespace mendel::registry::api
