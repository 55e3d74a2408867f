#include "storage/base/environment_name.h"

#include <string>

namespace mendel {

namespace {

constexpr std::size_t kNameSizeMax = 100;
constexpr std::string_view kSuffix = "-env";

}  // namespace

ArtifactName environment_of(const ArtifactName& owner) {
  const std::string name = owner.name().text().substr(0, kNameSizeMax - kSuffix.size());
  return ArtifactName::parse(owner.ns().text(), name + std::string(kSuffix));
}

}  // namespace mendel
