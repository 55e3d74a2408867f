#include "registry/api/trigger_body.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <vector>

#include "registry/api/json.h"
#include "registry/api/pedigree_body.h"
#include "registry/services/egress/repository_url.h"
#include "registry/services/triggers/cron.h"
#include "storage/base/glob.h"
#include "storage/base/reference.h"
#include "storage/canonical_json.h"

namespace mendel::registry::api {

namespace {

using nlohmann::json;

constexpr int kDepthMax = 4;
constexpr std::size_t kPartsMax = 20;
constexpr std::size_t kConditionsMax = 50;
constexpr std::size_t kPathsMax = 100;
constexpr std::size_t kNameSizeMax = 250;
constexpr std::int64_t kTimesMax = 1000;
constexpr std::int64_t kDebounceSecondsMax = 7 * 86'400;
constexpr std::int64_t kCooldownSecondsMax = 366 * 86'400;

constexpr std::array<std::string_view, 9> kConditions{
    "new_version", "alias_moved", "git_push", "metric", "kpi",
    "schedule",    "manual",      "all",      "any"};

std::int64_t read_seconds(ObjectReader& body, std::string_view member, std::int64_t max) {
  const std::int64_t seconds = body.optional_integer(member).value_or(0);
  if (seconds < 0 || seconds > max) {
    body.problem(member, fmt::format("must be from 0 to {}", max));
  }
  return seconds;
}

void require(ObjectReader& body, std::string_view member) {
  if (!body.has(member)) body.problem(member, "is required");
}

// --- Conditions -------------------------------------------------------------------------

void read_new_version(ObjectReader& when) {
  when.parsed("new_version",
              [](const std::string& text) { return ArtifactName::parse(text); });
  read_labels(when);
}

void read_alias_moved(ObjectReader& when) {
  const auto ref = when.parsed(
      "alias_moved", [](const std::string& text) { return Reference::parse(text); });
  if (ref && !std::holds_alternative<AliasName>(ref->version.value())) {
    when.problem("alias_moved", "must name an alias: lhcb/lamarr-trk@production");
  }
}

void read_glob(ObjectReader& push, std::string_view member) {
  push.parsed(member, [](const std::string& text) { return Glob::parse(text); });
}

void read_paths(ObjectReader& push) {
  const auto paths = push.optional_strings("paths");
  if (push.has("paths") && (paths.empty() || paths.size() > kPathsMax)) {
    push.problem("paths", fmt::format("has 1 to {} patterns", kPathsMax));
  }
  for (std::size_t i = 0; i < paths.size(); ++i) {
    try {
      Glob::parse(paths[i]);
    } catch (const Error& error) {
      push.problem("paths", fmt::format("pattern {}: {}", i, error.what()));
    }
  }
}

void read_push(ObjectReader& push) {
  require(push, "repository");
  push.parsed("repository", normal_repository);
  read_glob(push, "branch");
  read_glob(push, "tag");
  read_paths(push);
}

std::optional<double> read_threshold(ObjectReader& metric, std::string_view member) {
  const auto value = metric.optional_value(member);
  if (!value) return std::nullopt;
  if (!value->is_number() || !std::isfinite(value->get<double>())) {
    metric.problem(member, "must be a number");
    return std::nullopt;
  }
  return value->get<double>();
}

void read_metric(ObjectReader& metric) {
  require(metric, "artifact");
  const auto of = metric.parsed(
      "artifact", [](const std::string& text) { return Reference::parse(text); });
  if (of && std::holds_alternative<Digest>(of->version.value())) {
    metric.problem("artifact", "names an alias, a number or the latest, and no digest");
  }
  const auto name = metric.required_string("name");
  if (metric.has("name") && (name.empty() || name.size() > kNameSizeMax)) {
    metric.problem("name", fmt::format("has 1 to {} bytes", kNameSizeMax));
  }
  const bool has_above = read_threshold(metric, "above").has_value();
  const bool has_below = read_threshold(metric, "below").has_value();
  if (metric.has("above") == metric.has("below") || (has_above && has_below)) {
    metric.problem("above", "exactly one of above and below is required");
  }
  const auto times = metric.optional_integer("times").value_or(1);
  if (times < 1 || times > kTimesMax) {
    metric.problem("times", fmt::format("must be from 1 to {}", kTimesMax));
  }
  const auto dataset = metric.parsed(
      "dataset", [](const std::string& text) { return Reference::parse(text); });
  if (dataset && !std::holds_alternative<VersionNumber>(dataset->version.value()) &&
      !std::holds_alternative<Latest>(dataset->version.value())) {
    metric.problem("dataset", "names a dataset, perhaps with the number of a version");
  }
}

void read_kpi(ObjectReader& kpi) {
  require(kpi, "id");
  kpi.parsed("id", [](const std::string& text) { return Name::parse("a KPI", text); });
  if (kpi.optional_boolean("behind_pace") != true) {
    kpi.problem("behind_pace", "must be true");
  }
}

void read_schedule(ObjectReader& when) {
  const auto zone = when.optional_string("timezone").value_or("UTC");
  const auto expression = when.required_string("schedule");
  try {
    Schedule::parse("0 0 * * *", zone);
  } catch (const Error& error) {
    when.problem("timezone", error.what());
    return;
  }
  when.parsed("schedule",
              [&](const std::string& text) { return Schedule::parse(text, zone); });
}

void read_manual(ObjectReader& when) {
  if (when.optional_boolean("manual") != true) when.problem("manual", "must be true");
}

void read_inner(ObjectReader& when, std::string_view member, void (*read)(ObjectReader&),
                const std::string& pointer) {
  const auto object = when.optional_object(member);
  if (!object) return;
  ObjectReader inner(*object, pointer + "/" + std::string(member));
  read(inner);
  when.adopt(inner);
}

class ConditionReader {
 public:
  void read(ObjectReader& when, const std::string& pointer, int depth) {
    std::vector<std::string_view> kinds;
    for (const std::string_view kind : kConditions) {
      if (when.optional_value(kind)) kinds.push_back(kind);
    }
    if (kinds.size() != 1) {
      return when.problem(
          kinds.empty() ? kConditions.front() : kinds.back(),
          fmt::format("exactly one of {} is required", fmt::join(kConditions, ", ")));
    }
    if (++count_ > kConditionsMax) {
      return when.problem(kinds.front(),
                          fmt::format("is more than {} conditions", kConditionsMax));
    }
    if (when.has("new_version")) read_new_version(when);
    if (when.has("alias_moved")) read_alias_moved(when);
    read_inner(when, "git_push", read_push, pointer);
    read_inner(when, "metric", read_metric, pointer);
    read_inner(when, "kpi", read_kpi, pointer);
    if (when.has("schedule")) read_schedule(when);
    if (when.has("manual")) read_manual(when);
    for (const char* name : {"all", "any"}) {
      if (when.has(name)) read_parts(when, name, pointer, depth);
    }
  }

 private:
  void read_parts(ObjectReader& when, const std::string& name, const std::string& pointer,
                  int depth) {
    const auto parts = when.optional_array(name).value_or(json::array());
    if (parts.empty() || parts.size() > kPartsMax) {
      return when.problem(name, fmt::format("has 1 to {} conditions", kPartsMax));
    }
    if (depth == kDepthMax) {
      return when.problem(name, fmt::format("is nested deeper than {}", kDepthMax));
    }
    std::size_t place = 0;
    when.each_object(name, [&](ObjectReader& part) {
      read(part, fmt::format("{}/{}/{}", pointer, name, place++), depth + 1);
    });
  }

  std::size_t count_ = 0;
};

}  // namespace

std::string read_trigger_body(const json& document) {
  ObjectReader body(document);
  require(body, "pipeline");
  body.parsed("pipeline",
              [](const std::string& text) { return ArtifactName::parse(text); });
  require(body, "when");
  if (const auto object = body.optional_object("when")) {
    ObjectReader when(*object, "/when");
    ConditionReader().read(when, "/when", 1);
    body.adopt(when);
  }
  const auto debounce = read_seconds(body, "debounce_seconds", kDebounceSecondsMax);
  const auto cooldown = read_seconds(body, "cooldown_seconds", kCooldownSecondsMax);
  const bool enabled = body.optional_boolean("enabled").value_or(true);
  body.finish();
  return storage::canonical_json({{"pipeline", document.at("pipeline")},
                                  {"when", document.at("when")},
                                  {"debounce_seconds", debounce},
                                  {"cooldown_seconds", cooldown},
                                  {"enabled", enabled}});
}

}  // namespace mendel::registry::api
