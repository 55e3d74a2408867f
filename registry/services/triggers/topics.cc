#include "registry/services/triggers/topics.h"

namespace mendel::registry {

std::string version_topic(const ArtifactName& artifact) {
  return "version/" + artifact.folded();
}

std::string alias_topic(const ArtifactName& artifact, const AliasName& alias) {
  return "alias/" + artifact.folded() + "/" + alias.folded();
}

std::string evaluation_topic(const ArtifactName& artifact) {
  return "evaluation/" + artifact.folded();
}

std::string push_topic(std::string_view repository) {
  return "push/" + std::string(repository);
}

std::string kpi_topic(const Name& kpi) { return "kpi/" + kpi.folded(); }

std::string trigger_topic(std::int64_t trigger) {
  return "trigger/" + std::to_string(trigger);
}

}  // namespace mendel::registry
