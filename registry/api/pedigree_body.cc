#include "registry/api/pedigree_body.h"

#include <fmt/format.h>

#include <set>
#include <utility>

#include "storage/base/error.h"
#include "storage/canonical_json.h"

namespace mendel::registry::api {

namespace {

using nlohmann::json;

constexpr std::size_t kMessageSizeMax = 64 * 1024;
constexpr std::size_t kLabelsMax = 100;
constexpr std::size_t kLabelSizeMax = 1000;
constexpr std::size_t kMetricsMax = 10'000;
constexpr std::size_t kInputsMax = 10'000;
constexpr std::size_t kUriSizeMax = 4096;
constexpr std::size_t kSourceTextMax = 4096;
constexpr std::size_t kSourceListMax = 1000;

bool is_metric(const json& value) {
  return value.is_number() || value == "NaN" || value == "Infinity" || value == "-Infinity";
}

bool is_hex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// Text of a source that no rule but its length holds for.
void check_text(ObjectReader& source, const char* name) {
  const auto text = source.optional_string(name);
  if (text && text->size() > kSourceTextMax) {
    source.problem(name, fmt::format("is longer than {} bytes", kSourceTextMax));
  }
}

void check_size(ObjectReader& object, const char* name) {
  if (const auto size = object.optional_integer(name); size && *size < 0) {
    object.problem(name, "must not be negative");
  }
}

void check_commit(ObjectReader& object) {
  const std::string commit = object.required_string("commit");
  if (!is_hex(commit) || (commit.size() != 40 && commit.size() != 64)) {
    object.problem("commit",
                   "must be 40 (or, for SHA-256, 64) lower-case hexadecimal digits");
  }
}

void check_length(ObjectReader& object, const char* name) {
  const auto list = object.optional_array(name);
  if (list && list->size() > kSourceListMax) {
    object.problem(name, fmt::format("has more than {} entries", kSourceListMax));
  }
}

// What a URI is here: a scheme, a colon, and something without spaces and controls.
bool is_uri(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == 0 || colon == std::string_view::npos || colon + 1 == text.size())
    return false;
  const auto is_letter = [](char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; };
  if (!is_letter(text.front())) return false;
  for (const char c : text.substr(0, colon)) {
    if (!is_letter(c) && (c < '0' || c > '9') && c != '+' && c != '-' && c != '.') {
      return false;
    }
  }
  for (const char c : text) {
    if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7f) return false;
  }
  return true;
}

InputRequest read_input(ObjectReader& entry) {
  InputRequest input;
  const std::string role = entry.required_string("role");
  const auto known = parse_edge_role(role);
  if (known && *known != EdgeRole::component) {
    input.role = *known;
  } else if (entry.has("role")) {
    entry.problem("role", "must be trained-on, validated-on, parent or environment");
  }
  const auto name = entry.parsed(
      "name", [](const std::string& text) { return Name::parse("an input", text); });
  if (name) input.name = name->text();
  input.ref =
      entry.parsed("ref", [](const std::string& text) { return Reference::parse(text); });
  input.uri = entry.optional_string("uri").value_or("");
  input.digest = entry.optional_digest("digest");

  if (entry.has("ref") == entry.has("uri")) {
    entry.problem("ref", "is required, or else 'uri' in its place");
  }
  if (entry.has("uri") && (input.uri.size() > kUriSizeMax || !is_uri(input.uri))) {
    entry.problem("uri", fmt::format("must be a URI with a scheme, of at most {} bytes",
                                     kUriSizeMax));
  }
  if (entry.has("digest") && !entry.has("uri")) {
    entry.problem("digest", "goes with a uri: that of a version is known");
  }
  return input;
}

// The same thing twice in one role, or two things under one name, is a mistake.
void refuse_repetitions(ObjectReader& body, const std::vector<InputRequest>& inputs) {
  std::set<std::string> things;
  std::set<std::string> names;
  for (const InputRequest& input : inputs) {
    const std::string what = input.ref ? input.ref->text() : input.uri;
    if (!things.insert(std::string(to_string(input.role)) + " " + what).second) {
      body.problem("inputs", what + " is named twice in one role");
    }
    if (!input.name.empty() && !names.insert(input.name).second) {
      body.problem("inputs", "two inputs go by the name " + input.name);
    }
  }
}

}  // namespace

std::string read_message(ObjectReader& body) {
  auto message = body.optional_string("message").value_or("");
  if (message.size() > kMessageSizeMax) {
    body.problem("message", fmt::format("is longer than {} bytes", kMessageSizeMax));
  }
  return message;
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

std::optional<std::string> read_source(ObjectReader& body) {
  auto object = body.optional_object("source");
  if (!object) return std::nullopt;
  ObjectReader source(*object, "/source");
  check_commit(source);
  for (const char* name : {"repository", "branch", "author"}) check_text(source, name);
  source.parsed("authored_at", [](const std::string& text) { return parse_rfc3339(text); });
  for (const char* name : {"dirty", "shallow"}) source.optional_boolean(name);
  source.optional_digest("patch");
  for (const char* name : {"patch_size", "untracked_omitted"}) check_size(source, name);
  for (const char* name : {"tags", "untracked", "submodules"}) check_length(source, name);
  source.optional_strings("tags");
  source.each_object("untracked", [](ObjectReader& file) {
    file.required_string("path");
    check_size(file, "size");
  });
  source.each_object("submodules", [](ObjectReader& submodule) {
    submodule.required_string("path");
    check_commit(submodule);
  });
  if (const auto ci = source.optional_object("ci")) {
    ObjectReader jobs(*ci, "/source/ci");
    for (const char* name : {"pipeline_url", "job_url"}) check_text(jobs, name);
    source.adopt(jobs);
  }
  body.adopt(source);
  return object->dump();
}

std::vector<InputRequest> read_inputs(ObjectReader& body) {
  std::vector<InputRequest> inputs;
  if (const auto list = body.optional_array("inputs"); list && list->size() > kInputsMax) {
    body.problem("inputs", fmt::format("has more than {} entries", kInputsMax));
    return inputs;
  }
  body.each_object("inputs",
                   [&](ObjectReader& entry) { inputs.push_back(read_input(entry)); });
  refuse_repetitions(body, inputs);
  return inputs;
}

}  // namespace mendel::registry::api
