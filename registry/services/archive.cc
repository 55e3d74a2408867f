#include "registry/services/archive.h"

#include <algorithm>
#include <set>
#include <span>

#include "storage/base/error.h"

namespace mendel::registry {

namespace {

using storage::ManifestFile;

// A link, a directory, or stored bytes.
bool is_archived(const ManifestFile& file) { return file.locations.empty(); }

std::set<std::string> platforms_of(const storage::Manifest& manifest) {
  std::set<std::string> platforms;
  for (const ManifestFile& file : manifest.files) {
    if (!file.platform.empty()) platforms.insert(file.platform);
  }
  return platforms;
}

TarEntry entry_of(const ManifestFile& file, std::string_view directory) {
  TarEntry entry{.kind = TarEntry::Kind::file,
                 .directory = directory,
                 .path = file.path,
                 .size_bytes = 0,
                 .target = file.link};
  if (file.directory) {
    entry.kind = TarEntry::Kind::directory;
  } else if (!file.link.empty()) {
    entry.kind = TarEntry::Kind::link;
  } else {
    entry.kind = file.executable ? TarEntry::Kind::executable : TarEntry::Kind::file;
    entry.size_bytes = file.size_bytes;
  }
  return entry;
}

const ManifestFile* choose(std::span<const ManifestFile> entries,
                           const std::vector<std::string>& platforms) {
  for (const std::string& platform : platforms) {
    const auto found = std::ranges::find(entries, platform, &ManifestFile::platform);
    if (found != entries.end()) return &*found;
  }
  const auto for_all = std::ranges::find(entries, "", &ManifestFile::platform);
  return for_all == entries.end() ? nullptr : &*for_all;
}

struct Chosen {
  const ManifestFile* file;
  std::string_view directory;
};

std::vector<Chosen> choose_platforms(const storage::Manifest& manifest,
                                     const std::vector<std::string>& platforms) {
  std::vector<Chosen> chosen;
  bool left_out = false;
  for (auto begin = manifest.files.begin(); begin != manifest.files.end();) {
    const auto end =
        std::find_if(begin, manifest.files.end(),
                     [&](const ManifestFile& file) { return file.path != begin->path; });
    const auto* file = choose({begin, end}, platforms);
    if (file != nullptr) chosen.push_back({file, ""});
    left_out |= file == nullptr;
    begin = end;
  }
  const std::set<std::string> existing = platforms_of(manifest);
  const bool any_exists = std::ranges::any_of(
      platforms, [&](const std::string& platform) { return existing.contains(platform); });
  if (left_out && !any_exists) {
    throw Error(ErrorCode::not_found,
                "there are no files for this platform, but for " +
                    list_in_words({existing.begin(), existing.end()}));
  }
  return chosen;
}

std::vector<Chosen> all_platforms(const storage::Manifest& manifest) {
  const std::set<std::string> platforms = platforms_of(manifest);
  const bool path_stands_twice =
      std::ranges::adjacent_find(manifest.files, {}, &ManifestFile::path) !=
      manifest.files.end();
  const bool in_directories = platforms.size() > 1 || path_stands_twice;
  std::vector<Chosen> chosen;
  for (const ManifestFile& file : manifest.files) {
    chosen.push_back({&file, in_directories ? std::string_view(file.platform) : ""});
    const std::string_view top = std::string_view(file.path).substr(0, file.path.find('/'));
    if (in_directories && file.platform.empty() && platforms.contains(std::string(top))) {
      throw Error(ErrorCode::unprocessable, "a path and a platform are both named " +
                                                std::string(top) +
                                                ": ask for one platform");
    }
  }
  return chosen;
}

}  // namespace

ArchivePlan plan_archive(const storage::Manifest& manifest,
                         const std::vector<std::string>& platforms) {
  std::vector<Chosen> chosen =
      platforms.empty() ? all_platforms(manifest) : choose_platforms(manifest, platforms);
  std::erase_if(chosen, [](const Chosen& one) { return !is_archived(*one.file); });
  std::ranges::stable_sort(chosen, {}, [](const Chosen& one) { return one.directory; });

  ArchivePlan plan;
  for (const Chosen& one : chosen) {
    plan.entries.push_back(entry_of(*one.file, one.directory));
    if (one.file->digest)
      plan.contents.push_back({*one.file->digest, one.file->size_bytes});
  }
  return plan;
}

std::string list_in_words(const std::vector<std::string>& words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += i + 1 == words.size() ? " and " : ", ";
    text += words[i];
  }
  return text;
}

}  // namespace mendel::registry
