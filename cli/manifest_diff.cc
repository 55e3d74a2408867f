#include "cli/manifest_diff.h"

#include <tuple>

namespace mendel::cli {

namespace {

auto key_of(const storage::ManifestFile& file) {
  return std::tie(file.path, file.platform);
}

}  // namespace

std::vector<FileChange> find_changes(const storage::Manifest& before,
                                     const storage::Manifest& after) {
  std::vector<FileChange> changes;
  auto old_file = before.files.begin();
  auto new_file = after.files.begin();
  while (old_file != before.files.end() || new_file != after.files.end()) {
    const bool only_old =
        new_file == after.files.end() ||
        (old_file != before.files.end() && key_of(*old_file) < key_of(*new_file));
    const bool only_new =
        old_file == before.files.end() ||
        (new_file != after.files.end() && key_of(*new_file) < key_of(*old_file));
    if (only_old) {
      changes.push_back({&*old_file++, nullptr});
    } else if (only_new) {
      changes.push_back({nullptr, &*new_file++});
    } else {
      if (*old_file != *new_file) changes.push_back({&*old_file, &*new_file});
      ++old_file;
      ++new_file;
    }
  }
  return changes;
}

}  // namespace mendel::cli
