#include "registry/services/triggers/trigger_document.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "registry/services/egress/repository_url.h"
#include "registry/services/triggers/topics.h"
#include "storage/base/error.h"

namespace mendel::registry {

namespace {

using nlohmann::json;

template <class... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};
template <class... Functions>
Overloaded(Functions...) -> Overloaded<Functions...>;

std::optional<Glob> glob(const json& object, const char* member) {
  const auto found = object.find(member);
  if (found == object.end()) return std::nullopt;
  return Glob::parse(found->get<std::string>());
}

std::optional<double> number(const json& object, const char* member) {
  const auto found = object.find(member);
  if (found == object.end()) return std::nullopt;
  return found->get<double>();
}

Condition parse_push(const json& push) {
  const auto repository = push.at("repository").get<std::string>();
  GitPushCondition condition{.repository = repository,
                             .normal = normal_repository(repository),
                             .branch = glob(push, "branch"),
                             .tag = glob(push, "tag"),
                             .paths = {}};
  for (const json& pattern : push.value("paths", json::array())) {
    condition.paths.push_back(Glob::parse(pattern.get<std::string>()));
  }
  return condition;
}

Condition parse_metric(const json& metric) {
  MetricCondition condition{
      .of = Reference::parse(metric.at("artifact").get<std::string>()),
      .name = metric.at("name").get<std::string>(),
      .above = number(metric, "above"),
      .below = number(metric, "below"),
      .times = metric.value("times", 1),
      .dataset = std::nullopt,
      .dataset_version = std::nullopt};
  if (const auto dataset = metric.find("dataset"); dataset != metric.end()) {
    const auto ref = Reference::parse(dataset->get<std::string>());
    condition.dataset = ref.artifact;
    if (const auto* version = std::get_if<VersionNumber>(&ref.version.value())) {
      condition.dataset_version = *version;
    }
  }
  return condition;
}

Condition parse_leaf(const json& when) {
  if (when.contains("new_version")) {
    return NewVersionCondition{
        ArtifactName::parse(when.at("new_version").get<std::string>()),
        when.value("labels", std::map<std::string, std::string>())};
  }
  if (when.contains("alias_moved")) {
    const auto ref = Reference::parse(when.at("alias_moved").get<std::string>());
    return AliasMovedCondition{ref.artifact, std::get<AliasName>(ref.version.value())};
  }
  if (when.contains("git_push")) return parse_push(when.at("git_push"));
  if (when.contains("metric")) return parse_metric(when.at("metric"));
  if (when.contains("kpi")) {
    return KpiCondition{Name::parse("a KPI", when.at("kpi").at("id").get<std::string>())};
  }
  if (when.contains("schedule")) {
    return ScheduleCondition{Schedule::parse(when.at("schedule").get<std::string>(),
                                             when.value("timezone", "UTC"))};
  }
  when.at("manual");
  return ManualCondition{};
}

ConditionTree parse_tree(const json& when, std::vector<Condition>& leaves) {
  using Kind = ConditionTree::Kind;
  for (const auto& [name, kind] :
       {std::pair("all", Kind::all), std::pair("any", Kind::any)}) {
    if (!when.contains(name)) continue;
    ConditionTree tree{.kind = kind};
    for (const json& part : when.at(name)) tree.parts.push_back(parse_tree(part, leaves));
    return tree;
  }
  leaves.push_back(parse_leaf(when));
  return {.kind = Kind::leaf, .leaf = leaves.size() - 1};
}

std::string describe_tree(const TriggerDocument& trigger, const ConditionTree& tree,
                          bool is_inner) {
  if (tree.kind == ConditionTree::Kind::leaf) return describe(trigger.leaves[tree.leaf]);
  const char* between = tree.kind == ConditionTree::Kind::all ? " and " : " or ";
  std::string text;
  for (const ConditionTree& part : tree.parts) {
    if (!text.empty()) text += between;
    text += describe_tree(trigger, part, true);
  }
  return is_inner && tree.parts.size() > 1 ? "(" + text + ")" : text;
}

std::string describe_push(const GitPushCondition& push) {
  std::string text = "a push to " + push.normal;
  if (push.branch) text += ", branch " + push.branch->pattern();
  if (push.tag) text += ", tag " + push.tag->pattern();
  for (const Glob& path : push.paths) {
    text += (&path == &push.paths.front() ? ", that changes " : " or ") + path.pattern();
  }
  return text;
}

std::string describe_metric(const MetricCondition& metric) {
  std::string text = fmt::format("{} of {} {} {}", metric.name, metric.of.text(),
                                 metric.above ? "above" : "below",
                                 metric.above ? *metric.above : *metric.below);
  if (metric.dataset) {
    text += " on " + (metric.dataset_version
                          ? numbered_reference(*metric.dataset, *metric.dataset_version)
                          : metric.dataset->text());
  }
  if (metric.times > 1) text += fmt::format(", {} times in a row", metric.times);
  return text;
}

}  // namespace

TriggerDocument TriggerDocument::parse(const std::string& document) {
  try {
    const json parsed = json::parse(document);
    std::vector<Condition> leaves;
    ConditionTree when = parse_tree(parsed.at("when"), leaves);
    return {.pipeline = ArtifactName::parse(parsed.at("pipeline").get<std::string>()),
            .when = std::move(when),
            .leaves = std::move(leaves),
            .debounce = std::chrono::seconds(parsed.value("debounce_seconds", 0)),
            .cooldown = std::chrono::seconds(parsed.value("cooldown_seconds", 0)),
            .enabled = parsed.value("enabled", true)};
  } catch (const Error& error) {
    fail(ErrorCode::data_loss, "read the document of a trigger", error);
  } catch (const json::exception& error) {
    fail(ErrorCode::data_loss, "read the document of a trigger", error);
  }
}

std::vector<TriggerDocument::Topic> TriggerDocument::topics() const {
  std::map<std::string, Topic> topics;
  const auto add = [&](const std::string& topic, const std::string& repository,
                       bool wants_paths) {
    Topic& added = topics[topic];
    added.topic = topic;
    if (added.repository.empty()) added.repository = repository;
    added.wants_paths = added.wants_paths || wants_paths;
  };
  for (const Condition& leaf : leaves) {
    std::visit(
        Overloaded{
            [&](const NewVersionCondition& condition) {
              add(version_topic(condition.artifact), "", false);
            },
            [&](const AliasMovedCondition& condition) {
              add(alias_topic(condition.artifact, condition.alias), "", false);
            },
            [&](const GitPushCondition& condition) {
              add(push_topic(condition.normal), condition.repository,
                  !condition.paths.empty());
            },
            [&](const MetricCondition& condition) {
              add(evaluation_topic(condition.of.artifact), "", false);
            },
            [&](const KpiCondition& condition) { add(kpi_topic(condition.id), "", false); },
            [](const auto&) {},
        },
        leaf);
  }
  std::vector<Topic> listed;
  for (auto& [topic, value] : topics) listed.push_back(std::move(value));
  return listed;
}

std::vector<Name> TriggerDocument::watched_namespaces() const {
  std::map<std::string, Name> names;
  const auto add = [&](const ArtifactName& artifact) {
    names.emplace(artifact.ns().folded(), artifact.ns());
  };
  for (const Condition& leaf : leaves) {
    std::visit(Overloaded{
                   [&](const NewVersionCondition& condition) { add(condition.artifact); },
                   [&](const AliasMovedCondition& condition) { add(condition.artifact); },
                   [&](const MetricCondition& condition) {
                     add(condition.of.artifact);
                     if (condition.dataset) add(*condition.dataset);
                   },
                   [](const auto&) {},
               },
               leaf);
  }
  std::vector<Name> listed;
  for (auto& [folded, name] : names) listed.push_back(name);
  return listed;
}

std::optional<Timestamp> TriggerDocument::next_time(Timestamp after) const {
  std::optional<Timestamp> first;
  for (const Condition& leaf : leaves) {
    const auto* schedule = std::get_if<ScheduleCondition>(&leaf);
    if (schedule == nullptr) continue;
    const Timestamp next = schedule->schedule.next(after);
    if (!first || next < *first) first = next;
  }
  return first;
}

bool TriggerDocument::has_manual() const {
  return std::ranges::any_of(leaves, [](const Condition& leaf) {
    return std::holds_alternative<ManualCondition>(leaf);
  });
}

std::string describe(const Condition& condition) {
  return std::visit(
      Overloaded{
          [](const NewVersionCondition& version) {
            std::string text = "a new version of " + version.artifact.text();
            for (const auto& [key, value] : version.labels) {
              text += fmt::format(
                  "{} {}={}", text.find(" with ") == std::string::npos ? " with" : " and",
                  key, value);
            }
            return text;
          },
          [](const AliasMovedCondition& moved) {
            return fmt::format("a move of {}@{}", moved.artifact.text(),
                               moved.alias.text());
          },
          [](const GitPushCondition& push) { return describe_push(push); },
          [](const MetricCondition& metric) { return describe_metric(metric); },
          [](const KpiCondition& kpi) {
            return fmt::format("{} falling behind its pace", kpi.id.text());
          },
          [](const ScheduleCondition& schedule) {
            return fmt::format("the schedule {} ({})", schedule.schedule.expression(),
                               schedule.schedule.zone());
          },
          [](const ManualCondition&) { return std::string("somebody who fires it"); },
      },
      condition);
}

std::string describe(const TriggerDocument& trigger) {
  return describe_tree(trigger, trigger.when, false);
}

}  // namespace mendel::registry
