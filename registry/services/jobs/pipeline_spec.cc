#include "registry/services/jobs/pipeline_spec.h"

#include <nlohmann/json.hpp>

#include "storage/base/error.h"
#include "storage/canonical_json.h"

namespace mendel::registry {

namespace {

using nlohmann::json;

PipelineSpec::Input read_input(const std::string& name, const json& value) {
  if (value.is_string()) {
    return {name, EdgeRole::trained_on, Reference::parse(value.get<std::string>())};
  }
  const auto role = parse_edge_role(value.value("role", "trained-on"));
  if (!role) throw Error(ErrorCode::data_loss, "an input has no known role");
  return {name, *role, Reference::parse(value.at("ref").get<std::string>())};
}

std::optional<std::int32_t> number(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end()) return std::nullopt;
  return found->get<std::int32_t>();
}

storage::ArtifactKind read_kind(const json& produces) {
  const auto kind = storage::parse_artifact_kind(produces.value("kind", "model"));
  if (!kind) throw Error(ErrorCode::data_loss, "what is produced has no known kind");
  return *kind;
}

std::optional<PipelineSpec::Source> read_source(const json& document) {
  const auto source = document.find("source");
  if (source == document.end()) return std::nullopt;
  return PipelineSpec::Source{
      .repository = source->at("repository"),
      .ref = source->at("ref"),
      .is_resolved_by_agent = source->value("resolve", "") == "agent"};
}

PipelineSpec read(const json& document) {
  const json& produces = document.at("produces");
  const json none = json::object();
  PipelineSpec spec{
      .queue = document.at("queue"),
      .source = read_source(document),
      .inputs = {},
      .hyperparameters = std::nullopt,
      .hyperparameters_of = std::nullopt,
      .artifact = ArtifactName::parse(produces.at("artifact").get<std::string>()),
      .kind = read_kind(produces),
      .aliases = {},
      .concurrency = std::nullopt,
      .per_day = std::nullopt,
      .secrets = document.value("secrets", std::map<std::string, std::string>())};
  const json inputs = document.value("inputs", none);
  for (const auto& [name, value] : inputs.items()) {
    spec.inputs.push_back(read_input(name, value));
  }
  for (const std::string& alias : produces.value("aliases", std::vector<std::string>())) {
    spec.aliases.push_back(AliasName::parse(alias));
  }
  if (const auto value = document.find("hyperparameters"); value != document.end()) {
    spec.hyperparameters = storage::canonical_json(*value);
  }
  if (const auto value = document.find("hyperparameters_of"); value != document.end()) {
    spec.hyperparameters_of = Reference::parse(value->get<std::string>());
  }
  const json limits = document.value("limits", none);
  spec.concurrency = number(limits, "concurrency");
  spec.per_day = number(limits, "per_day");
  const json retry = document.value("retry", none);
  spec.attempts_max = number(retry, "attempts").value_or(spec.attempts_max);
  spec.backoff_seconds = number(retry, "backoff_seconds").value_or(spec.backoff_seconds);
  return spec;
}

}  // namespace

PipelineSpec PipelineSpec::parse(const std::string& document) {
  try {
    return read(json::parse(document));
  } catch (const json::exception& error) {
    fail(ErrorCode::data_loss, "a stored pipeline is not readable", error);
  }
}

}  // namespace mendel::registry
