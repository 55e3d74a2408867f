#include "storage/manifest_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "storage/base/error.h"

namespace mendel::storage {

namespace {

void append_below(const std::string& name, const Manifest& component, Manifest& whole) {
  for (ManifestFile file : component.files) {
    file.path = name + "/" + file.path;
    if (file.path.size() > kPathSizeMax) {
      throw Error(ErrorCode::unprocessable,
                  fmt::format("in the set, the path '{}…' has more than {} bytes",
                              file.path.substr(0, 80), kPathSizeMax));
    }
    whole.files.push_back(std::move(file));
  }
}

}  // namespace

Manifest expand(const Manifest& set, std::span<const Manifest> components) {
  std::size_t count = set.files.size();
  for (const Manifest& component : components) count += component.files.size();
  if (count > kSetFilesMax) {
    throw Error(
        ErrorCode::unprocessable,
        fmt::format("a model set has at most {} files, not {}", kSetFilesMax, count));
  }
  Manifest whole{.kind = set.kind, .files = set.files, .components = {}};
  whole.files.reserve(count);
  for (std::size_t i = 0; i < components.size(); ++i) {
    append_below(set.components[i].name, components[i], whole);
  }
  std::ranges::sort(whole.files, [](const ManifestFile& a, const ManifestFile& b) {
    return std::tie(a.path, a.platform) < std::tie(b.path, b.platform);
  });
  return whole;
}

}  // namespace mendel::storage
