#include "registry/api/publish_body.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "registry/api/json.h"
#include "registry/api/pedigree_body.h"
#include "registry/services/checkpoint_selector.h"
#include "storage/base/error.h"
#include "storage/base/uuid.h"

namespace mendel::registry::api {

namespace {

using nlohmann::json;

std::vector<AliasName> read_aliases(ObjectReader& body) {
  std::vector<AliasName> aliases;
  for (const std::string& text : body.optional_strings("aliases")) {
    try {
      aliases.push_back(AliasName::parse(text));
    } catch (const Error& error) {
      body.problem("aliases", error.what());
    }
  }
  return aliases;
}

std::vector<PublishingService::Component> read_components(ObjectReader& body) {
  std::vector<PublishingService::Component> components;
  body.each_object("components", [&](ObjectReader& entry) {
    const auto name = entry.parsed(
        "name", [](const std::string& text) { return Name::parse("a component", text); });
    const auto ref =
        entry.parsed("ref", [](const std::string& text) { return Reference::parse(text); });
    for (const char* member : {"name", "ref"}) {
      if (!entry.has(member)) entry.problem(member, "is required");
    }
    if (name && ref) components.push_back({name->text(), *ref});
  });
  return components;
}

std::optional<std::string> read_run(ObjectReader& body) {
  auto run = body.optional_string("run");
  if (run && !is_uuid(*run)) body.problem("run", "must be the id of a run, a UUID");
  return run;
}

std::optional<std::string> read_checkpoint(ObjectReader& body) {
  const auto selector = body.parsed("checkpoint", [](const std::string& text) {
    CheckpointSelector::parse(text);
    return text;
  });
  if (selector && !body.has("run")) body.problem("checkpoint", "goes with a run");
  return selector;
}

// Exactly one of what may hold the content.
void require_content(ObjectReader& body) {
  const bool lists_content = body.has("files") || body.has("components");
  const int count =
      int(lists_content) + int(body.has("manifest")) + int(body.has("checkpoint"));
  if (count != 1) {
    body.problem("files",
                 "or 'components' are required, or else 'manifest' or 'checkpoint' in "
                 "their place");
  }
}

}  // namespace

PublishingService::Request read_publish_body(nlohmann::json document,
                                             const ArtifactName& artifact,
                                             storage::ArtifactKind kind,
                                             std::vector<AttachedFile>& attached) {
  ObjectReader body(std::move(document));
  PublishingService::Request publish{.artifact = artifact,
                                     .kind = kind,
                                     .manifest = std::nullopt,
                                     .manifest_digest = body.optional_digest("manifest"),
                                     .message = read_message(body),
                                     .labels = read_labels(body),
                                     .metrics = read_metrics(body),
                                     .hyperparameters = read_hyperparameters(body),
                                     .source = read_source(body),
                                     .inputs = read_inputs(body),
                                     .components = read_components(body),
                                     .run = read_run(body),
                                     .checkpoint = read_checkpoint(body),
                                     .aliases = read_aliases(body),
                                     .idempotency = std::nullopt};
  require_content(body);
  auto files = read_files(body, attached);
  if (body.has("files") || body.has("components")) {
    publish.manifest.emplace();
    publish.manifest->kind = kind;
    publish.manifest->files = std::move(files);
  }
  body.finish();
  return publish;
}

}  // namespace mendel::registry::api
