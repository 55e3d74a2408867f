#include "cli/choose_one.h"

#include <algorithm>

#include "cli/platform_choice.h"
#include "storage/base/error.h"

namespace mendel::cli {

const storage::ManifestFile& choose_one(const storage::Manifest& manifest,
                                        const std::string& path,
                                        const std::string& platform_option) {
  storage::Manifest of_path{manifest.kind, {}, {}};
  std::vector<std::size_t> positions;
  for (std::size_t i = 0; i < manifest.files.size(); ++i) {
    if (manifest.files[i].path != path) continue;
    of_path.files.push_back(manifest.files[i]);
    positions.push_back(i);
  }
  const std::string here = platform_option == "auto" ? own_platform() : "";
  const auto chosen = choose_files(of_path, parse_platform_choice(platform_option, here));
  if (chosen.size() > 1) {
    throw Error(ErrorCode::invalid_argument, "--platform all means several files");
  }
  if (chosen.empty()) throw Error(ErrorCode::not_found, "there is no file " + path);
  const auto& file = manifest.files[positions[chosen.front().position]];
  if (!file.locations.empty()) {
    throw Error(ErrorCode::not_found, path + " is not stored on the server: it stays at " +
                                          file.locations.front());
  }
  if (!file.digest) {
    throw Error(ErrorCode::not_found, path + " is not a file whose bytes are stored");
  }
  return file;
}

}  // namespace mendel::cli
