#include "registry/api/publish_body.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "registry/api/json.h"
#include "storage/base/error.h"
#include "storage/canonical_json.h"

namespace mendel::registry::api {

namespace {

using nlohmann::json;

constexpr std::size_t kMessageSizeMax = 64 * 1024;
constexpr std::size_t kLabelsMax = 100;
constexpr std::size_t kLabelSizeMax = 1000;
constexpr std::size_t kMetricsMax = 10'000;

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

std::map<std::string, std::string> read_labels(ObjectReader& body) {
  const auto object = body.optional_object("labels").value_or(json::object());
  if (object.size() > kLabelsMax) {
    body.problem("labels", fmt::format("has more than {} members", kLabelsMax));
  }
  std::map<std::string, std::string> labels;
  for (const auto& [name, value] : object.items()) {
    const bool fits = value.is_string() && !name.empty() && name.size() <= kLabelSizeMax &&
                      value.get_ref<const std::string&>().size() <= kLabelSizeMax &&
                      name.find('\0') == std::string::npos &&
                      value.get_ref<const std::string&>().find('\0') == std::string::npos;
    if (!fits) {
      body.problem("labels",
                   fmt::format("'{}' must be text of at most {} bytes, without NUL", name,
                               kLabelSizeMax));
      break;
    }
    labels.emplace(name, value.get<std::string>());
  }
  return labels;
}

bool is_metric(const json& value) {
  return value.is_number() || value == "NaN" || value == "Infinity" || value == "-Infinity";
}

std::string read_metrics(ObjectReader& body) {
  const auto object = body.optional_object("metrics").value_or(json::object());
  if (object.size() > kMetricsMax) {
    body.problem("metrics", fmt::format("has more than {} members", kMetricsMax));
  }
  for (const auto& [name, value] : object.items()) {
    if (name.empty() || name.find('\0') != std::string::npos || !is_metric(value)) {
      body.problem(
          "metrics",
          fmt::format("'{}' must be a number, \"NaN\", \"Infinity\" or \"-Infinity\"",
                      name));
      break;
    }
  }
  return object.dump();
}

std::optional<std::string> read_hyperparameters(ObjectReader& body) {
  const auto object = body.optional_object("hyperparameters");
  if (!object) return std::nullopt;
  try {
    std::string canonical = storage::canonical_json(*object);
    if (canonical.find("\\u0000") != std::string::npos) {
      body.problem("hyperparameters", "must not contain a NUL character");
    }
    return canonical;
  } catch (const Error& error) {
    const bool located = !error.fields().empty();
    body.problem("hyperparameters" + (located ? error.fields().front().pointer : ""),
                 located ? error.fields().front().detail : error.what());
    return std::nullopt;
  }
}

bool is_hex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::optional<std::string> read_source(ObjectReader& body) {
  auto object = body.optional_object("source");
  if (!object) return std::nullopt;
  ObjectReader source(*object, "/source");
  source.optional_string("repository");
  source.optional_string("branch");
  source.optional_boolean("dirty");
  source.optional_digest("patch");
  const std::string commit = source.required_string("commit");
  if (!is_hex(commit) || (commit.size() != 40 && commit.size() != 64)) {
    source.problem("commit",
                   "must be 40 (or, for SHA-256, 64) lower-case hexadecimal digits");
  }
  body.adopt(source);
  return object->dump();
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

// What this server does not do yet is refused by name: a pedigree that was silently dropped
// would be worse than none.
void refuse_unsupported(ObjectReader& body) {
  for (const char* name : {"components", "inputs", "run"}) {
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
                                     .aliases = read_aliases(body),
                                     .idempotency = std::nullopt};
  refuse_unsupported(body);
  if (body.has("files")) {
    storage::Manifest manifest;
    manifest.kind = publish.kind;
    body.each_object("files", [&](ObjectReader& entry) {
      manifest.files.push_back(read_file(entry, attached));
    });
    publish.manifest = std::move(manifest);
  }
  if (body.has("files") == body.has("manifest")) {
    body.problem("files", "is required, or else 'manifest' in its place");
  }
  body.finish();
  return publish;
}

}  // namespace mendel::registry::api
