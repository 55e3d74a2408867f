#include "cli/tree_scan.h"

#include <dirent.h>
#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <tuple>

#include "cli/output.h"
#include "storage/base/error.h"
#include "storage/base/posix_error.h"

namespace mendel::cli {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kStateDirectory = ".mendel";
constexpr std::size_t kProblemsShownMax = 10;

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

// Walks the paths and gathers entries and problems.
class Scan {
 public:
  void add_path(const PushPath& path) {
    platform_ = path.platform;
    struct stat status;
    if (::stat(path.path.c_str(), &status) != 0) {
      throw_posix_error("push", path.path.string(), errno);
    }
    if (S_ISDIR(status.st_mode)) {
      add_directory(path.path, "");
    } else {
      add_by_type(path.path, base_name(path.path), status);
    }
  }

  std::vector<ScannedFile> finish() && {
    const auto key = [](const ScannedFile& file) {
      return std::tie(file.entry.path, file.entry.platform);
    };
    std::ranges::sort(files_, {}, key);
    const auto same = [&](const ScannedFile& a, const ScannedFile& b) {
      return key(a) == key(b);
    };
    for (auto twice = std::ranges::adjacent_find(files_, same); twice != files_.end();
         twice = std::adjacent_find(twice + 1, files_.end(), same)) {
      refuse(twice->source, "is the second file for " + twice->entry.path);
    }
    throw_if_refused();
    return std::move(files_);
  }

 private:
  static std::string base_name(const fs::path& path) {
    const fs::path whole = fs::absolute(path).lexically_normal();
    return whole.has_filename() ? whole.filename() : whole.parent_path().filename();
  }

  void add_directory(const fs::path& directory, const std::string& prefix) {
    std::size_t count = 0;
    for (const std::string& name : names_in(directory)) {
      if (name == kStateDirectory) continue;
      ++count;
      add_below(directory / name, prefix.empty() ? name : prefix + "/" + name);
    }
    if (count == 0 && !prefix.empty()) {
      storage::ManifestFile entry = entry_at(prefix);
      entry.directory = true;
      keep(directory, std::move(entry), "");
    }
  }

  void add_below(const fs::path& source, const std::string& path) {
    struct stat status;
    if (::lstat(source.c_str(), &status) != 0) {
      throw_posix_error("push", source.string(), errno);
    }
    if (S_ISDIR(status.st_mode)) {
      add_directory(source, path);
    } else if (S_ISLNK(status.st_mode)) {
      add_link(source, path);
    } else {
      add_by_type(source, path, status);
    }
  }

  void add_by_type(const fs::path& source, const std::string& path,
                   const struct stat& status) {
    if (!S_ISREG(status.st_mode)) {
      return refuse(source, "is neither a file nor a directory nor a link");
    }
    storage::ManifestFile entry = entry_at(path);
    entry.size_bytes = std::uint64_t(status.st_size);
    entry.executable = (status.st_mode & S_IXUSR) != 0;
    keep(source, std::move(entry), source);
  }

  void add_link(const fs::path& source, const std::string& path) {
    const fs::path target = fs::read_symlink(source);
    const fs::path place = (fs::path(path).parent_path() / target).lexically_normal();
    if (target.is_absolute()) {
      return refuse(source, "is a link to " + target.string() + ", which is absolute");
    }
    if (*place.begin() == "..") {
      return refuse(source, "is a link to " + target.string() + ", outside what is pushed");
    }
    storage::ManifestFile entry = entry_at(path);
    entry.link = target;
    keep(source, std::move(entry), "");
  }

  storage::ManifestFile entry_at(const std::string& path) const {
    storage::ManifestFile entry;
    entry.path = path;
    entry.platform = platform_;
    return entry;
  }

  void keep(const fs::path& where, storage::ManifestFile entry, const fs::path& source) {
    if (const auto problem = storage::path_problem(entry.path))
      return refuse(where, *problem);
    files_.push_back({std::move(entry), source});
  }

  void refuse(const fs::path& path, const std::string& rule) {
    problems_.push_back(printable(path.string()) + ": " + rule);
  }

  void throw_if_refused() const {
    if (problems_.empty()) return;
    std::string message = "this cannot be pushed:";
    for (std::size_t i = 0; i < std::min(problems_.size(), kProblemsShownMax); ++i) {
      message += "\n  " + problems_[i];
    }
    if (problems_.size() > kProblemsShownMax) {
      message +=
          "\n  … and " + std::to_string(problems_.size() - kProblemsShownMax) + " more";
    }
    throw Error(ErrorCode::invalid_argument, message);
  }

  static std::vector<std::string> names_in(const fs::path& directory) {
    const std::unique_ptr<DIR, CloseDirectory> open(::opendir(directory.c_str()));
    if (!open) throw_posix_error("list", directory.string(), errno);
    std::vector<std::string> names;
    for (errno = 0; const dirent* item = ::readdir(open.get());) {
      const std::string name = item->d_name;
      if (name != "." && name != "..") names.push_back(name);
    }
    if (errno != 0) throw_posix_error("list", directory.string(), errno);
    return names;
  }

  std::string platform_;
  std::vector<ScannedFile> files_;
  std::vector<std::string> problems_;
};

}  // namespace

std::vector<ScannedFile> scan_paths(std::span<const PushPath> paths) {
  Scan scan;
  for (const PushPath& path : paths) scan.add_path(path);
  return std::move(scan).finish();
}

}  // namespace mendel::cli
