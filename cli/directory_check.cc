#include "cli/directory_check.h"

#include <filesystem>

#include "cli/file_digest.h"
#include "cli/progress.h"

namespace mendel::cli {

namespace {

namespace fs = std::filesystem;
using Type = LocalEntry::Type;

bool is_as_pulled(const TargetDirectory& target, const std::string& path,
                  const LocalEntry& existing, const PulledEntry& entry) {
  if (entry.is_directory()) return existing.type == Type::directory;
  if (!entry.link.empty())
    return existing.type == Type::link && existing.link == entry.link;
  return existing.type == Type::file && existing.executable == entry.executable &&
         existing.stamp.size_bytes == entry.stamp.size_bytes &&
         digest_of(target.open_file(path), path) == *entry.digest;
}

std::uint64_t size_of(const PullState& state) {
  std::uint64_t sum = 0;
  for (const auto& [path, entry] : state.entries) sum += entry.stamp.size_bytes;
  return sum;
}

std::vector<std::string> find_extra(const fs::path& directory, const PullState& state) {
  std::vector<std::string> extra;
  for (auto item = fs::recursive_directory_iterator(directory);
       item != fs::recursive_directory_iterator(); ++item) {
    const std::string path = item->path().lexically_relative(directory).generic_string();
    const bool is_directory = item->is_directory() && !item->is_symlink();
    if (path == ".mendel") item.disable_recursion_pending();
    if (path == ".mendel" || is_directory || state.entries.contains(path)) continue;
    extra.push_back(path);
  }
  return extra;
}

}  // namespace

DirectoryCheck check_directory(const TargetDirectory& target, const PullState& state) {
  Progress progress("verifying", size_of(state));
  DirectoryCheck check;
  check.entry_count = state.entries.size();
  for (const auto& [path, entry] : state.entries) {
    const auto existing = target.find(path);
    if (!existing) {
      check.missing.push_back(path);
    } else if (!is_as_pulled(target, path, *existing, entry)) {
      check.changed.push_back(path);
    }
    progress.add(entry.stamp.size_bytes);
  }
  check.extra = find_extra(target.path(), state);
  return check;
}

}  // namespace mendel::cli
