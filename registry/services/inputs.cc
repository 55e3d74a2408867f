#include "registry/services/inputs.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "storage/base/error.h"

namespace mendel::registry {

namespace {

schema::VersionQuestion question_of(const Reference& ref) {
  schema::VersionQuestion question{.folded_namespace = ref.artifact.ns().folded(),
                                   .folded_name = ref.artifact.name().folded(),
                                   .number = std::nullopt,
                                   .folded_alias = std::nullopt,
                                   .digest = std::nullopt};
  const auto& version = ref.version.value();
  if (const auto* number = std::get_if<VersionNumber>(&version)) question.number = *number;
  if (const auto* alias = std::get_if<AliasName>(&version)) {
    question.folded_alias = alias->folded();
  }
  if (const auto* digest = std::get_if<Digest>(&version)) question.digest = *digest;
  return question;
}

}  // namespace

std::vector<bool> InputService::may_read_each(const Caller& caller,
                                              std::span<const Asked> asked) {
  std::map<std::string, bool> known;
  std::vector<bool> readable;
  for (const Asked& each : asked) {
    const Name& ns = each.ref.artifact.ns();
    const auto [found, is_new] = known.try_emplace(ns.folded(), false);
    if (is_new) found->second = may_read(caller, access_.standing(caller, ns));
    readable.push_back(found->second);
  }
  return readable;
}

std::vector<schema::VersionKey> InputService::freeze(const Caller& caller,
                                                     std::span<const Asked> asked) {
  if (asked.empty()) return {};
  const std::vector<bool> readable = may_read_each(caller, asked);
  std::vector<schema::VersionQuestion> questions;
  for (const Asked& each : asked) questions.push_back(question_of(each.ref));
  const auto found = database_.read("find inputs", [&](schema::Transaction& tx) {
    return schema::find_version_keys(tx, questions);
  });

  std::vector<schema::VersionKey> keys;
  std::vector<FieldError> missing;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    if (found[i] && readable[i]) {
      keys.push_back(*found[i]);
    } else {
      missing.push_back({asked[i].pointer, "there is no version " + asked[i].ref.text()});
    }
  }
  if (!missing.empty()) {
    const std::string first = missing.front().pointer + ": " + missing.front().detail;
    throw Error(ErrorCode::not_found, first, std::move(missing));
  }
  return keys;
}

std::vector<schema::NewEdge> InputService::freeze_inputs(
    const Caller& caller, std::span<const InputRequest> inputs) {
  std::vector<Asked> asked;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].ref) asked.push_back({*inputs[i].ref, fmt::format("/inputs/{}/ref", i)});
  }
  const auto keys = freeze(caller, asked);
  std::vector<schema::NewEdge> edges;
  auto key = keys.begin();
  for (const InputRequest& input : inputs) {
    schema::NewEdge edge{.role = std::string(to_string(input.role)),
                         .name = input.name,
                         .target_id = std::nullopt,
                         .uri = std::nullopt,
                         .digest = std::nullopt};
    if (input.ref) {
      edge.target_id = (key++)->id;
    } else {
      edge.uri = input.uri;
      edge.digest = input.digest;
    }
    edges.push_back(std::move(edge));
  }
  return edges;
}

void hold_targets(schema::Transaction& tx, std::span<const schema::NewEdge> edges) {
  std::vector<std::int64_t> targets;
  for (const schema::NewEdge& edge : edges) {
    if (edge.target_id) targets.push_back(*edge.target_id);
  }
  std::ranges::sort(targets);
  const auto [first, last] = std::ranges::unique(targets);
  targets.erase(first, last);
  if (!schema::share_versions(tx, targets)) {
    throw Error(ErrorCode::not_found, "an input was deleted while it was being named");
  }
}

}  // namespace mendel::registry
