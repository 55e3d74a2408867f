#include "cli/pedigree_options.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>

#include "cli/api_path.h"
#include "cli/input_option.h"
#include "cli/output.h"
#include "cli/params.h"
#include "cli/repeated_option.h"

namespace mendel::cli {

namespace {

constexpr const char* kGroup = "What it was made from";

struct Role {
  const char* option;
  const char* role;
  std::vector<std::string> PedigreeOptions::*values;
  const char* type_name;
  const char* help;
};

constexpr Role kRoles[] = {
    {"--data", "trained-on", &PedigreeOptions::data, "[NAME=]REF|URI",
     "a dataset that it was trained on; may be repeated"},
    {"--validated-on", "validated-on", &PedigreeOptions::validated_on, "[NAME=]REF|URI",
     "a dataset that it was validated on; may be repeated"},
    {"--parent", "parent", &PedigreeOptions::parents, "[NAME=]REF|URI",
     "a model that it was fine-tuned from; may be repeated"},
    {"--env", "environment", &PedigreeOptions::environments, "auto|REF|URI",
     "the environment that it was made in; may be repeated"},
};

bool is_recorded(const Role& role, const std::string& text) {
  return role.values == &PedigreeOptions::environments && text == "auto";
}

void gather_inputs(const PedigreeOptions& options, Pedigree& pedigree) {
  for (const Role& role : kRoles) {
    for (const std::string& text : options.*role.values) {
      if (is_recorded(role, text)) {
        pedigree.environment = record_environment();
      } else {
        pedigree.body["inputs"].push_back(parse_input(role.option, role.role, text));
      }
    }
  }
}

void gather_source(const SourceOptions& options, Pedigree& pedigree) {
  auto captured = capture_source(options);
  if (!captured) return;
  for (const std::string& note : captured->notes) {
    fmt::print(stderr, "mendel: {}\n", printable(note));
  }
  if (!captured->source.is_null()) pedigree.body["source"] = std::move(captured->source);
  pedigree.patch = std::move(captured->patch);
}

void declare_source_options(CLI::App& app, SourceOptions& options) {
  app.add_option("--git", options.directory,
                 "the git repository that it was made from, instead of the one around")
      ->type_name("DIR")
      ->group(kGroup);
  app.add_flag("--no-git", options.no_git, "record no commit")->group(kGroup);
  app.add_flag("--include-untracked", options.include_untracked,
               "take files into the patch that git does not know")
      ->group(kGroup);
  app.add_flag("--require-clean", options.require_clean,
               "refuse a git tree with changes to tracked files")
      ->group(kGroup);
  app.get_option("--no-git")->excludes("--git", "--require-clean", "--include-untracked");
}

}  // namespace

const char* const kPedigreeHelp = R"(
Hyperparameters (--params) are JSON or YAML 1.2, where 1e-3 is a number, no is a text, anchors and
merges are resolved and a name that occurs twice is refused. FILE.json is JSON, FILE.yml and
FILE.yaml are YAML; of others and of standard input (-), what begins with '{' is JSON. NaN,
infinities and integers beyond 2^53 are refused with their place, as JSON cannot carry them
exactly; with --params-lossy=string they are kept as the text that they were written as.

Inputs (--data, --validated-on, --parent, --env) are references, which are frozen to a number and a
digest, or URIs of what lies elsewhere: URI@sha256:HEX can be verified, and any other is marked as
one that cannot. NAME=REF also says under which name it is laid out when the version is made again.

--env auto records what it finds where it runs, and makes it a version of NAME-env unless the newest
one is the same: the Python in use (of an active virtual environment or conda, otherwise python3)
and its packages, operating system, C library, CPU, GPU driver, loaded modules and container.

The git repository around is recorded (--git DIR: another one, --no-git: none): its remote without
credentials, commit, branch, tags, author, and the commits of submodules. Changes to tracked files,
staged or not, are kept as a patch that 'git apply' takes, of at most 32 MiB; one in which a line
looks like a key or a token is refused with its place. Untracked files are listed with their sizes,
and taken into the patch with --include-untracked; what .gitignore names never is. Hooks, filters
and other programs are not run. In GitLab's and GitHub's CI the pipeline and the job are recorded.)";

void declare_pedigree_options(CLI::App& app, PedigreeOptions& options) {
  app.add_option("--params", options.params,
                 "hyperparameters, JSON or YAML; - is standard input")
      ->type_name("FILE")
      ->group(kGroup);
  app.add_option("--params-lossy", options.params_lossy,
                 "'string': keep numbers that JSON cannot carry exactly as text")
      ->check(CLI::IsMember({"string"}))
      ->type_name("HOW")
      ->group(kGroup);
  for (const Role& role : kRoles) {
    add_repeated(app, role.option, options.*role.values, role.help)
        ->type_name(role.type_name)
        ->group(kGroup);
  }
  declare_source_options(app, options.source);
}

Pedigree gather_pedigree(const PedigreeOptions& options) {
  Pedigree pedigree;
  gather_inputs(options, pedigree);
  if (!options.params.empty()) {
    const Lossy lossy = options.params_lossy.empty() ? Lossy::refuse : Lossy::as_text;
    pedigree.body["hyperparameters"] = load_params(options.params, lossy);
  }
  gather_source(options.source, pedigree);
  return pedigree;
}

Json deliver_pedigree(const Pedigree& pedigree, ApiClient& server,
                      const ArtifactName& owner) {
  if (!pedigree.patch.empty()) {
    server.put_bytes(blob_path(owner.ns(), Digest::of(pedigree.patch)), pedigree.patch);
  }
  Json body = pedigree.body;
  if (pedigree.environment) {
    body["inputs"].push_back(
        {{"role", "environment"},
         {"ref", push_environment(*pedigree.environment, server, owner)}});
  }
  return body;
}

}  // namespace mendel::cli
