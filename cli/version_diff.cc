#include "cli/version_diff.h"

#include <algorithm>
#include <map>

#include "cli/output.h"

namespace mendel::cli {

namespace {

// By key, in order of the keys. Where they are equal in both there is no entry.
using Values = std::map<std::string, Json>;

Json diff_values(const char* key_name, const Values& before, const Values& after) {
  Json entries = Json::array();
  Values keys = before;
  keys.insert(after.begin(), after.end());
  for (const auto& [key, unused] : keys) {
    const auto old_value = before.find(key);
    const auto new_value = after.find(key);
    if (old_value != before.end() && new_value != after.end() &&
        old_value->second == new_value->second) {
      continue;
    }
    Json entry = {{key_name, key}};
    if (old_value != before.end()) entry["before"] = old_value->second;
    if (new_value != after.end()) entry["after"] = new_value->second;
    entries.push_back(std::move(entry));
  }
  return entries;
}

Values members_of(const Json& document, const char* member) {
  Values values;
  const Json members = document.value(member, Json::object());
  for (const auto& [name, value] : members.items()) {
    values.emplace(name, value);
  }
  return values;
}

void add_leaves(const Json& value, const std::string& path,
                std::vector<std::pair<std::string, Json>>& leaves) {
  if (!value.is_structured() || value.empty()) {
    leaves.emplace_back(path, value);
    return;
  }
  const std::string prefix = path.empty() ? "" : path + ".";
  std::size_t index = 0;
  for (const auto& [key, inner] : value.items()) {
    add_leaves(inner, prefix + (value.is_array() ? std::to_string(index++) : key), leaves);
  }
}

Values hyperparameters_of(const Json& document) {
  Values values;
  const Json hyperparameters = document.value("hyperparameters", Json::object());
  for (auto& [path, value] : leaves_of(hyperparameters.value("value", Json::object()))) {
    if (!path.empty()) values.emplace(path, std::move(value));
  }
  return values;
}

std::string target_of(const Json& input) {
  return text_of(input, input.contains("ref") ? "ref" : "uri");
}

// What stays when an input moves to another version of itself.
std::string identity_of(const Json& input) {
  const std::string target = target_of(input);
  return input.contains("ref") ? target.substr(0, target.find_first_of(":@")) : target;
}

bool may_follow(const Json& before, const Json& after) {
  return before["role"] == after["role"] && identity_of(before) == identity_of(after);
}

Json input_entry(const Json& input) {
  Json entry = {{"role", input.value("role", "")}};
  if (input.contains("name")) entry["name"] = input["name"];
  return entry;
}

// A URI may come with another digest.
std::string describe_target(const Json& input) {
  const std::string target = target_of(input);
  if (input.contains("ref") || !input.contains("digest")) return target;
  return target + " " + text_of(input, "digest");
}

// The first evaluation that has it is the newest.
Values newest_evaluations(const Json& evaluations) {
  Values values;
  for (const Json& evaluation : evaluations) {
    const std::string dataset = text_of(evaluation.value("dataset", Json::object()), "ref");
    const Json metrics = evaluation.value("metrics", Json::object());
    for (const auto& [name, value] : metrics.items()) {
      values.emplace(dataset.empty() ? name : name + " on " + dataset, value);
    }
  }
  return values;
}

}  // namespace

std::vector<std::pair<std::string, Json>> leaves_of(const Json& document) {
  std::vector<std::pair<std::string, Json>> leaves;
  add_leaves(document, "", leaves);
  return leaves;
}

Json diff_hyperparameters(const Json& before, const Json& after) {
  return diff_values("path", hyperparameters_of(before), hyperparameters_of(after));
}

Json diff_inputs(const Json& before, const Json& after) {
  Json removed = before.value("inputs", Json::array());
  Json entries = Json::array();
  std::vector<Json> added;
  for (const Json& input : after.value("inputs", Json::array())) {
    const auto same = std::ranges::find(removed, input);
    if (same == removed.end()) {
      added.push_back(input);
    } else {
      removed.erase(same);
    }
  }
  for (const Json& input : added) {
    Json entry = input_entry(input);
    const auto moved = std::ranges::find_if(
        removed, [&](const Json& old_input) { return may_follow(old_input, input); });
    if (moved != removed.end()) {
      entry["before"] = describe_target(*moved);
      removed.erase(moved);
    }
    entry["after"] = describe_target(input);
    entries.push_back(std::move(entry));
  }
  for (const Json& input : removed) {
    Json entry = input_entry(input);
    entry["before"] = describe_target(input);
    entries.push_back(std::move(entry));
  }
  return entries;
}

Json diff_components(const Json& before, const Json& after) {
  const auto components_of = [](const Json& document) {
    Values values;
    for (const Json& component : document.value("components", Json::array())) {
      values.emplace(text_of(component, "name"), text_of(component, "ref"));
    }
    return values;
  };
  return diff_values("name", components_of(before), components_of(after));
}

Json diff_metrics(const Json& before, const Json& after) {
  return diff_values("name", members_of(before, "metrics"), members_of(after, "metrics"));
}

Json diff_labels(const Json& before, const Json& after) {
  return diff_values("name", members_of(before, "labels"), members_of(after, "labels"));
}

Json diff_source(const Json& before, const Json& after) {
  const auto source_of = [](const Json& document) {
    const Json source = document.value("source", Json::object());
    Json shown = Json::object();
    for (const char* const member : {"repository", "commit", "branch", "dirty", "patch"}) {
      if (source.contains(member)) shown[member] = source[member];
    }
    return shown;
  };
  const Json old_source = source_of(before);
  const Json new_source = source_of(after);
  if (old_source == new_source) return nullptr;
  Json difference = Json::object();
  if (!old_source.empty()) difference["before"] = old_source;
  if (!new_source.empty()) difference["after"] = new_source;
  return difference;
}

Json diff_evaluations(const Json& before, const Json& after) {
  return diff_values("name", newest_evaluations(before), newest_evaluations(after));
}

}  // namespace mendel::cli
