#include "cli/environment_record.h"

#include <cstdlib>

#include "cli/api_path.h"
#include "cli/host_facts.h"
#include "cli/package_facts.h"

namespace mendel::cli {

EnvironmentFiles record_environment() {
  Json facts = find_host_facts();
  const PythonFacts python = find_python_facts();
  EnvironmentFiles files;
  if (!python.interpreter.is_null()) facts["python"] = python.interpreter;
  if (!python.requirements.empty()) files["requirements.txt"] = python.requirements;
  if (const char* const prefix = std::getenv("CONDA_PREFIX")) {
    const std::string packages = find_conda_packages(prefix);
    if (!packages.empty()) files["conda-explicit.txt"] = packages;
  }
  files["environment.json"] =
      facts.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
  return files;
}

std::string push_environment(const EnvironmentFiles& files, ApiClient& server,
                             const ArtifactName& owner) {
  const ArtifactName name = environment_of(owner);
  Json body = {{"message", kEnvironmentMessage}};
  for (const auto& [path, content] : files) {
    const Digest digest = Digest::of(content);
    server.put_bytes(blob_path(name.ns(), digest), content);
    body["files"].push_back({{"path", path}, {"digest", digest.to_string()}});
  }
  const std::string versions =
      artifact_path(storage::ArtifactKind::environment, name) + "/versions";
  const Json version = server.post(versions, body);
  return numbered_reference(name, version.at("version").get<VersionNumber>());
}

}  // namespace mendel::cli
