#include "cli/platform_choice.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <set>

#include "storage/base/error.h"

namespace mendel::cli {

namespace {

using storage::Manifest;
using storage::ManifestFile;

std::set<std::string> platforms_of(const Manifest& manifest) {
  std::set<std::string> platforms;
  for (const ManifestFile& file : manifest.files) {
    if (!file.platform.empty()) platforms.insert(file.platform);
  }
  return platforms;
}

std::string listed(const std::set<std::string>& platforms) {
  std::string text;
  for (const std::string& platform : platforms)
    text += (text.empty() ? "" : ", ") + platform;
  return text;
}

std::vector<ChosenFile> choose_all(const Manifest& manifest) {
  std::vector<ChosenFile> chosen;
  for (std::size_t i = 0; i < manifest.files.size(); ++i) {
    const ManifestFile& file = manifest.files[i];
    chosen.push_back(
        {i, file.platform.empty() ? file.path : file.platform + "/" + file.path});
  }
  std::ranges::sort(chosen, {}, &ChosenFile::path);
  const auto twice = std::ranges::adjacent_find(chosen, {}, &ChosenFile::path);
  if (twice != chosen.end()) {
    throw Error(ErrorCode::unprocessable, "two files would be written to " + twice->path +
                                              ": choose a platform with --platform");
  }
  return chosen;
}

// Smaller is better; as large as wanted.size() for all platforms, larger for none.
std::size_t rank_of(const ManifestFile& file, const std::vector<std::string>& wanted) {
  if (file.platform.empty()) return wanted.size();
  const auto found = std::ranges::find(wanted, file.platform);
  return found == wanted.end() ? wanted.size() + 1 : std::size_t(found - wanted.begin());
}

}  // namespace

std::vector<ChosenFile> choose_files(const Manifest& manifest,
                                     const PlatformChoice& choice) {
  if (choice.all) return choose_all(manifest);

  const auto platforms = platforms_of(manifest);
  std::vector<std::string> wanted = choice.wanted;
  if (wanted.empty() && platforms.size() > 1) {
    throw Error(ErrorCode::invalid_argument,
                "there are files for several platforms: say which "
                "with --platform: auto, all, " +
                    listed(platforms));
  }
  if (wanted.empty()) wanted.assign(platforms.begin(), platforms.end());

  // One path's files follow each other in a manifest.
  std::vector<ChosenFile> chosen;
  bool found_platform = false;
  const auto& files = manifest.files;
  for (std::size_t begin = 0, end; begin < files.size(); begin = end) {
    end = begin;
    std::size_t best = begin;
    for (; end < files.size() && files[end].path == files[begin].path; ++end) {
      if (rank_of(files[end], wanted) < rank_of(files[best], wanted)) best = end;
    }
    const std::size_t rank = rank_of(files[best], wanted);
    found_platform |= rank < wanted.size();
    if (rank <= wanted.size()) chosen.push_back({best, files[best].path});
  }
  if (!platforms.empty() && !found_platform && (!choice.may_lack || chosen.empty())) {
    throw Error(ErrorCode::not_found, "there are no files for " + wanted.front() +
                                          ", but for " + listed(platforms));
  }
  return chosen;
}

PlatformChoice parse_platform_choice(std::string_view option,
                                     std::string_view own_platform) {
  if (option.empty()) return {};
  if (option == "all") return {.all = true, .may_lack = false, .wanted = {}};
  if (option != "auto")
    return {.all = false, .may_lack = false, .wanted = {std::string(option)}};
  if (own_platform.empty()) {
    throw Error(ErrorCode::invalid_argument,
                "--platform auto needs MENDEL_PLATFORM or BINARY_TAG in the environment");
  }
  return {.all = false, .may_lack = true, .wanted = with_lower_levels(own_platform)};
}

std::string own_platform() {
  for (const char* name : {"MENDEL_PLATFORM", "BINARY_TAG"}) {
    const char* value = std::getenv(name);
    if (value && *value) return value;
  }
  return {};
}

std::vector<std::string> with_lower_levels(std::string_view platform) {
  std::vector<std::string> platforms{std::string(platform)};
  const auto dash = std::min(platform.find('-'), platform.size());
  const std::string_view architecture = platform.substr(0, dash);
  const std::string rest(platform.substr(dash));
  const auto mark = architecture.rfind("_v");
  if (mark == architecture.npos) return platforms;

  int level = 0;
  const char* end = architecture.data() + architecture.size();
  const auto [stop, status] = std::from_chars(architecture.data() + mark + 2, end, level);
  if (status != std::errc() || stop != end || level > 9) return platforms;
  const std::string base(architecture.substr(0, mark));
  while (--level > 1) platforms.push_back(base + "_v" + std::to_string(level) + rest);
  platforms.push_back(base + rest);
  return platforms;
}

}  // namespace mendel::cli
