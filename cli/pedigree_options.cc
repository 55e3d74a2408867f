#include "cli/pedigree_options.h"

#include <CLI/CLI.hpp>

#include "cli/input_option.h"
#include "cli/params.h"

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
    {"--env", "environment", &PedigreeOptions::environments, "REF|URI",
     "the environment that it was made in; may be repeated"},
};

Json gather_inputs(const PedigreeOptions& options) {
  Json inputs = Json::array();
  for (const Role& role : kRoles) {
    for (const std::string& text : options.*role.values) {
      inputs.push_back(parse_input(role.option, role.role, text));
    }
  }
  return inputs;
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
one that cannot. NAME=REF also says under which name it is laid out when the version is made again.)";

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
    app.add_option(role.option, options.*role.values, role.help)
        ->expected(1)
        ->take_all()
        ->type_name(role.type_name)
        ->group(kGroup);
  }
}

Pedigree gather_pedigree(const PedigreeOptions& options) {
  Pedigree pedigree;
  if (Json inputs = gather_inputs(options); !inputs.empty()) {
    pedigree.body["inputs"] = std::move(inputs);
  }
  if (!options.params.empty()) {
    const Lossy lossy = options.params_lossy.empty() ? Lossy::refuse : Lossy::as_text;
    pedigree.body["hyperparameters"] = load_params(options.params, lossy);
  }
  return pedigree;
}

Json deliver_pedigree(const Pedigree& pedigree, ApiClient&, const ArtifactName&) {
  return pedigree.body;
}

}  // namespace mendel::cli
