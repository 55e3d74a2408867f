#include "registry/api/pipeline_body.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "registry/api/json.h"
#include "registry/api/pedigree_body.h"
#include "registry/services/egress/repository_url.h"
#include "storage/base/error.h"
#include "storage/base/glob.h"
#include "storage/canonical_json.h"
#include "storage/manifest.h"

namespace mendel::registry::api {

namespace {

using nlohmann::json;

constexpr std::size_t kCommandSizeMax = 128 * 1024;
constexpr std::size_t kGlobsMax = 1000;
constexpr std::size_t kInputsMax = 1000;
constexpr std::size_t kPlatformsMax = 100;
constexpr std::size_t kSecretsMax = 100;
constexpr std::size_t kTextSizeMax = 4096;
constexpr std::size_t kRefSizeMax = 255;
constexpr std::size_t kVariableSizeMax = 255;

constexpr std::int64_t kJobsMax = 100'000;
constexpr std::int64_t kTimeoutSecondsMax = 365 * 86'400;
constexpr std::int64_t kAttemptsMax = 20;
constexpr std::int64_t kBackoffSecondsMax = 3600;

// What is well-formed and still makes no sense: told together, as 422.
class Objections {
 public:
  void add(std::string pointer, std::string detail) {
    errors_.push_back({std::move(pointer), std::move(detail)});
  }

  // Runs a parser that throws and keeps what it says.
  template <class Parse>
  void check(const std::string& pointer, Parse parse) {
    try {
      parse();
    } catch (const Error& error) {
      add(pointer, error.what());
    }
  }

  void finish() {
    if (errors_.empty()) return;
    const std::string first = errors_.front().pointer + ": " + errors_.front().detail;
    throw Error(ErrorCode::unprocessable, first, std::move(errors_));
  }

 private:
  std::vector<FieldError> errors_;
};

bool has_control(std::string_view text) {
  return std::ranges::any_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

std::string escaped(std::string_view name) {
  std::string text;
  for (const char c : name) {
    if (c == '~') {
      text += "~0";
    } else if (c == '/') {
      text += "~1";
    } else {
      text += c;
    }
  }
  return text;
}

void check_engine(ObjectReader& body, Objections& objections) {
  const std::string engine = body.required_string("engine");
  if (body.has("engine") && engine != "agent") {
    objections.add("/engine",
                   fmt::format("'{}' is no engine that is known: agent", engine));
  }
}

void check_queue(ObjectReader& body) {
  if (!body.has("queue")) body.problem("queue", "is required");
  body.parsed("queue",
              [](const std::string& text) { return Name::parse("a queue", text); });
}

// An argument vector: nothing here or at the site takes a line of text apart.
void check_command(ObjectReader& body, Objections& objections) {
  const auto command = body.optional_value("command");
  if (!command) return body.problem("command", "is required");
  if (command->is_string()) {
    return objections.add(
        "/command", R"(is a list of words, as ["snakemake", "-c4"], and no line: for a )"
                    R"(shell say ["sh", "-c", "…"])");
  }
  const auto words = body.optional_strings("command");
  std::size_t size = 0;
  for (const std::string& word : words) {
    size += word.size();
    if (word.find('\0') != std::string::npos) {
      body.problem("command", "must not contain a NUL character");
    }
  }
  if (words.empty()) objections.add("/command", "has at least one word");
  if (!words.empty() && words.front().empty()) {
    objections.add("/command/0", "names a program");
  }
  if (size > kCommandSizeMax) {
    objections.add("/command", fmt::format("has more than {} bytes", kCommandSizeMax));
  }
}

// What git takes as the name of a branch, tag or commit, and never as an option.
bool is_git_ref(std::string_view ref) {
  constexpr std::string_view kForbidden = " ~^:?*[\\";
  return !ref.empty() && ref.size() <= kRefSizeMax && !has_control(ref) &&
         ref.find_first_of(kForbidden) == std::string_view::npos && ref.front() != '-' &&
         ref.front() != '/' && ref.back() != '/' && ref.back() != '.' &&
         ref.find("..") == std::string_view::npos &&
         ref.find("//") == std::string_view::npos &&
         ref.find("@{") == std::string_view::npos;
}

// A password in the address would be shown to everybody who may read the pipeline.
void check_repository(const std::string& repository, Objections& objections) {
  objections.check("/source/repository", [&] {
    const RepositoryUrl url = RepositoryUrl::parse(repository);
    if (url.authority.user.find(':') != std::string::npos) {
      throw Error(ErrorCode::unprocessable, "holds a password: use a secret");
    }
  });
}

void check_source(ObjectReader& body, Objections& objections) {
  const auto object = body.optional_object("source");
  if (!object) return;
  ObjectReader source(*object, "/source");
  const std::string repository = source.required_string("repository");
  const std::string ref = source.required_string("ref");
  const auto resolve = source.optional_string("resolve");
  if (repository.size() > kTextSizeMax) {
    source.problem("repository", fmt::format("is longer than {} bytes", kTextSizeMax));
  } else if (source.has("repository")) {
    check_repository(repository, objections);
  }
  if (source.has("ref") && !is_git_ref(ref)) {
    objections.add("/source/ref", "is no name of a branch, tag or commit");
  }
  if (resolve && *resolve != "agent" && *resolve != "server") {
    objections.add("/source/resolve", "is 'server' (if absent) or 'agent'");
  }
  body.adopt(source);
}

void check_ref(ObjectReader& reader, std::string_view member) {
  reader.parsed(member, [](const std::string& text) { return Reference::parse(text); });
}

void check_input(ObjectReader& inputs, const std::string& name, Objections& objections) {
  const std::string pointer = "/inputs/" + escaped(name);
  objections.check(pointer, [&] { Name::parse("an input", name); });
  if (inputs.optional_value(name)->is_string()) return check_ref(inputs, name);
  ObjectReader input(*inputs.optional_value(name), pointer);
  if (!input.has("ref")) input.problem("ref", "is required");
  check_ref(input, "ref");
  if (const auto role = input.optional_string("role")) {
    const auto known = parse_edge_role(*role);
    if (!known || *known == EdgeRole::component) {
      objections.add(pointer + "/role",
                     "is trained-on, validated-on, parent or environment");
    }
  }
  inputs.adopt(input);
}

void check_inputs(ObjectReader& body, Objections& objections) {
  const auto object = body.optional_object("inputs");
  if (!object) return;
  if (object->size() > kInputsMax) {
    return objections.add("/inputs", fmt::format("has more than {} members", kInputsMax));
  }
  ObjectReader inputs(*object, "/inputs");
  for (const auto& [name, value] : object->items()) check_input(inputs, name, objections);
  body.adopt(inputs);
}

void check_path(ObjectReader& reader, const char* member, const std::string& pointer,
                Objections& objections) {
  const auto path = reader.optional_string(member);
  if (!path) return;
  if (const auto problem = storage::path_problem(*path)) objections.add(pointer, *problem);
}

void check_hyperparameters(ObjectReader& body, Objections& objections) {
  read_hyperparameters(body);
  check_path(body, "hyperparameters_file", "/hyperparameters_file", objections);
  check_ref(body, "hyperparameters_of");
  const int count = int(body.has("hyperparameters")) +
                    int(body.has("hyperparameters_file")) +
                    int(body.has("hyperparameters_of"));
  if (count > 1) {
    objections.add("/hyperparameters",
                   "come from one place: hyperparameters, hyperparameters_file or "
                   "hyperparameters_of");
  }
}

// Patterns of files below the root of the source.
void check_globs(const json& list, const std::string& pointer, Objections& objections) {
  if (!list.is_array() || list.empty() || list.size() > kGlobsMax) {
    return objections.add(
        pointer,
        fmt::format("is a list of 1 to {} patterns, as [\"out/*.so\"]", kGlobsMax));
  }
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string place = fmt::format("{}/{}", pointer, i);
    if (!list[i].is_string()) {
      objections.add(place, "must be a string");
      continue;
    }
    const auto& text = list[i].get_ref<const std::string&>();
    objections.check(place, [&] { Glob::parse(text); });
    const std::string framed = "/" + text + "/";
    if (text.starts_with('/') || framed.find("/../") != std::string::npos ||
        framed.find("/./") != std::string::npos) {
      objections.add(place, "matches nothing: paths are relative, without '.' and '..'");
    }
  }
}

void check_platforms(ObjectReader& produces, Objections& objections) {
  const auto platforms = produces.optional_object("platforms");
  if (!platforms) return;
  if (platforms->empty() || platforms->size() > kPlatformsMax) {
    objections.add("/produces/platforms",
                   fmt::format("has 1 to {} members", kPlatformsMax));
  }
  for (const auto& [platform, globs] : platforms->items()) {
    const std::string pointer = "/produces/platforms/" + escaped(platform);
    objections.check(pointer,
                     [&, &platform = platform] { Name::parse("a platform", platform); });
    check_globs(globs, pointer, objections);
  }
}

void check_produces(ObjectReader& body, Objections& objections) {
  if (!body.has("produces")) body.problem("produces", "is required");
  const auto object = body.optional_object("produces");
  if (!object) return;
  ObjectReader produces(*object, "/produces");
  if (!produces.has("artifact")) produces.problem("artifact", "is required");
  produces.parsed("artifact",
                  [](const std::string& text) { return ArtifactName::parse(text); });
  const auto kind = produces.optional_string("kind");
  if (kind && !storage::parse_artifact_kind(*kind)) {
    objections.add("/produces/kind", "is model, dataset or environment");
  }
  if (const auto files = produces.optional_value("files")) {
    check_globs(*files, "/produces/files", objections);
  }
  check_platforms(produces, objections);
  if (!produces.has("files") && !produces.has("platforms")) {
    produces.problem("files", "or 'platforms' is required");
  }
  check_path(produces, "metrics", "/produces/metrics", objections);
  for (const std::string& alias : produces.optional_strings("aliases")) {
    objections.check("/produces/aliases", [&] { AliasName::parse(alias); });
  }
  body.adopt(produces);
}

void check_number(ObjectReader& reader, const std::string& pointer, const char* member,
                  std::pair<std::int64_t, std::int64_t> range, Objections& objections) {
  const auto value = reader.optional_integer(member);
  if (!value || (range.first <= *value && *value <= range.second)) return;
  objections.add(pointer + "/" + member,
                 fmt::format("is from {} to {}", range.first, range.second));
}

void check_limits(ObjectReader& body, Objections& objections) {
  if (const auto object = body.optional_object("limits")) {
    ObjectReader limits(*object, "/limits");
    check_number(limits, "/limits", "concurrency", {1, kJobsMax}, objections);
    check_number(limits, "/limits", "per_day", {1, kJobsMax}, objections);
    check_number(limits, "/limits", "timeout_seconds", {1, kTimeoutSecondsMax}, objections);
    body.adopt(limits);
  }
  if (const auto object = body.optional_object("retry")) {
    ObjectReader retry(*object, "/retry");
    check_number(retry, "/retry", "attempts", {1, kAttemptsMax}, objections);
    check_number(retry, "/retry", "backoff_seconds", {0, kBackoffSecondsMax}, objections);
    body.adopt(retry);
  }
}

// MENDEL_… is what the agent itself tells the command.
bool is_variable(std::string_view name) {
  if (name.empty() || name.size() > kVariableSizeMax || name.starts_with("MENDEL_"))
    return false;
  const auto is_letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  return is_letter(name.front()) && std::ranges::all_of(name, [&](char c) {
           return is_letter(c) || (c >= '0' && c <= '9');
         });
}

void check_secrets(ObjectReader& body, Objections& objections) {
  const auto secrets = body.optional_object("secrets");
  if (!secrets) return;
  if (secrets->size() > kSecretsMax) {
    objections.add("/secrets", fmt::format("has more than {} members", kSecretsMax));
  }
  for (const auto& [variable, secret] : secrets->items()) {
    const std::string pointer = "/secrets/" + escaped(variable);
    if (!is_variable(variable)) {
      objections.add(pointer,
                     "is no name for a variable of the environment, or one that "
                     "begins with MENDEL_");
    }
    if (!secret.is_string()) {
      objections.add(pointer, "is the name of a secret of the namespace");
      continue;
    }
    objections.check(pointer, [&, &secret = secret] {
      Name::parse("a secret", secret.get<std::string>());
    });
  }
}

void check_description(ObjectReader& body) {
  const auto text = body.optional_string("description");
  if (text && text->size() > kTextSizeMax) {
    body.problem("description", fmt::format("is longer than {} bytes", kTextSizeMax));
  }
}

void check_promote(ObjectReader& body, Objections& objections) {
  const auto object = body.optional_object("promote");
  if (!object) return;
  ObjectReader promote(*object, "/promote");
  for (const char* member : {"alias", "metric"}) {
    if (!promote.has(member)) promote.problem(member, "is required");
  }
  promote.parsed("alias", [](const std::string& text) { return AliasName::parse(text); });
  const auto metric = promote.optional_string("metric");
  if (metric && (metric->empty() || metric->size() > kTextSizeMax)) {
    objections.add("/promote/metric", "is the name of a metric");
  }
  const auto better = promote.optional_string("better").value_or("lower");
  if (better != "lower" && better != "higher") {
    objections.add("/promote/better", "is 'lower' or 'higher'");
  }
  const auto improvement = promote.optional_value("min_improvement");
  if (improvement && !(improvement->is_number() && improvement->get<double>() >= 0)) {
    objections.add("/promote/min_improvement", "is a number, not negative");
  }
  const auto otherwise = promote.optional_string("otherwise").value_or("hold");
  if (otherwise != "hold") objections.add("/promote/otherwise", "is 'hold'");
  body.adopt(promote);
}

}  // namespace

PipelineService::Document read_pipeline_body(const json& document) {
  ObjectReader body(document);
  Objections objections;
  check_engine(body, objections);
  check_queue(body);
  check_command(body, objections);
  check_source(body, objections);
  check_inputs(body, objections);
  check_hyperparameters(body, objections);
  check_produces(body, objections);
  check_limits(body, objections);
  check_secrets(body, objections);
  check_promote(body, objections);
  read_labels(body);
  check_description(body);
  body.finish();
  objections.finish();
  std::string text = storage::canonical_json(document);
  PipelineSpec spec = PipelineSpec::parse(text);
  return {std::move(text), std::move(spec)};
}

}  // namespace mendel::registry::api
