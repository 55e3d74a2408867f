#include "registry/api/publish_body.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "registry/api/json.h"
#include "registry/api/pedigree_body.h"
#include "storage/base/error.h"

namespace mendel::registry::api {

namespace {

using nlohmann::json;

constexpr std::size_t kMessageSizeMax = 64 * 1024;

storage::ManifestFile read_file(ObjectReader& entry, std::vector<AttachedFile>& attached) {
  storage::ManifestFile file;
  file.path = entry.required_string("path");
  file.platform = entry.optional_string("platform").value_or("");
  file.digest = entry.optional_digest("digest");
  file.executable = entry.optional_boolean("executable").value_or(false);
  file.link = entry.optional_string("link").value_or("");
  file.directory = entry.optional_boolean("directory").value_or(false);
  file.checksum = entry.optional_string("checksum").value_or("");
  file.locations = entry.optional_strings("locations");
  const auto size = entry.optional_integer("size");
  if (size && *size < 0) entry.problem("size", "must not be negative");
  file.size_bytes = static_cast<std::uint64_t>(std::max<std::int64_t>(0, size.value_or(0)));

  const auto from =
      entry.parsed("from", [](const std::string& text) { return Reference::parse(text); });
  if (from && file.digest) attached.push_back({*file.digest, *from});
  if (from && !file.digest) entry.problem("from", "goes with a digest");
  return file;
}

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

std::string read_message(ObjectReader& body) {
  auto message = body.optional_string("message").value_or("");
  if (message.size() > kMessageSizeMax) {
    body.problem("message", fmt::format("is longer than {} bytes", kMessageSizeMax));
  }
  return message;
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

// What this server does not do yet is refused by name: a pedigree that was silently dropped
// would be worse than none.
void refuse_unsupported(ObjectReader& body) {
  for (const char* name : {"run", "checkpoint"}) {
    if (body.optional_value(name))
      body.problem(name, "is not supported by this server yet");
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
                                     .run = std::nullopt,
                                     .aliases = read_aliases(body),
                                     .idempotency = std::nullopt};
  refuse_unsupported(body);
  const bool lists_content = body.has("files") || body.has("components");
  if (lists_content) {
    storage::Manifest manifest;
    manifest.kind = publish.kind;
    body.each_object("files", [&](ObjectReader& entry) {
      manifest.files.push_back(read_file(entry, attached));
    });
    publish.manifest = std::move(manifest);
  }
  if (lists_content == body.has("manifest")) {
    body.problem("files",
                 "or 'components' are required, or else 'manifest' in their place");
  }
  body.finish();
  return publish;
}

}  // namespace mendel::registry::api
