#include "cli/agent/outputs.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <tuple>

#include "cli/local_file.h"
#include "cli/output.h"
#include "storage/base/error.h"
#include "storage/base/glob.h"
#include "storage/base/posix_error.h"

namespace mendel::cli {

namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const std::string& path, const std::string& rule) {
  throw Error(ErrorCode::unprocessable, printable(path) + " " + rule);
}

// What is laid out beside the checkout, or is git's.
bool is_never_meant(const fs::path& below) {
  return below == "inputs" || below == "params.json" || below.filename() == ".git";
}

std::vector<std::string> files_below(const fs::path& source) {
  std::vector<std::string> files;
  for (auto entry = fs::recursive_directory_iterator(source);
       entry != fs::recursive_directory_iterator(); ++entry) {
    const fs::path below = entry->path().lexically_relative(source);
    if (is_never_meant(below)) {
      entry.disable_recursion_pending();
    } else if (!entry->is_directory() || entry->is_symlink()) {
      files.push_back(below.generic_string());
    }
  }
  return files;
}

std::string without_slash(const std::string& pattern) {
  const auto end = pattern.find_last_not_of('/');
  return end == pattern.npos ? pattern : pattern.substr(0, end + 1);
}

constexpr const char* kWildcards = "*?[\\";

// The directories of a pattern before the first part that fits more than one name.
std::string fixed_directory_of(const std::string& pattern) {
  const auto special = std::min(pattern.find_first_of(kWildcards), pattern.size());
  const auto slash = pattern.substr(0, special).rfind('/');
  return slash == pattern.npos ? "" : pattern.substr(0, slash);
}

// A rule that has been read.
class Collector {
 public:
  explicit Collector(const std::string& pattern)
      : glob_(Glob::parse(pattern)),
        is_literal_(pattern.find_first_of(kWildcards) == pattern.npos),
        directory_(fixed_directory_of(pattern)) {}

  // What the file is called in the version; empty: it is not meant.
  std::string name_of(const std::string& file) const {
    if (glob_.matches(file)) return relative(file, directory_);
    for (auto slash = file.rfind('/'); slash != file.npos && slash > 0;
         slash = file.rfind('/', slash - 1)) {
      if (!glob_.matches(std::string_view(file).substr(0, slash))) continue;
      return relative(file, is_literal_ ? file.substr(0, slash) : directory_);
    }
    return {};
  }

 private:
  static std::string relative(const std::string& file, const std::string& directory) {
    return directory.empty() ? file : file.substr(directory.size() + 1);
  }

  const Glob glob_;
  const bool is_literal_;
  const std::string directory_;
};

// A regular file, through links that stay in source.
struct stat status_of(const fs::path& source, const std::string& file,
                      std::int64_t begin_ns) {
  struct stat status;
  const fs::path path = source / file;
  if (::stat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) refuse(file, "is a link to nothing");
    throw_posix_error("look at", path.string(), errno);
  }
  const std::string real = fs::canonical(path);
  if (!real.starts_with(fs::canonical(source).string() + "/")) {
    refuse(file, "is a link that leads out of the source");
  }
  if (!S_ISREG(status.st_mode)) refuse(file, "is no file");
  if (stamp_of(status).mtime_ns < begin_ns) {
    refuse(file, "is older than the job, and so was not made by it");
  }
  return status;
}

bool comes_first(const ScannedFile& a, const ScannedFile& b) {
  return std::tie(a.entry.path, a.entry.platform) <
         std::tie(b.entry.path, b.entry.platform);
}

void require_distinct(const std::vector<ScannedFile>& files) {
  const auto twice =
      std::adjacent_find(files.begin(), files.end(),
                         [](const auto& a, const auto& b) { return !comes_first(a, b); });
  if (twice == files.end()) return;
  refuse((twice + 1)->source.string(), "is the second file for " + twice->entry.path);
}

}  // namespace

std::vector<ScannedFile> collect_outputs(const fs::path& source,
                                         const std::vector<OutputRule>& rules,
                                         std::int64_t begin_ns) {
  const auto files = files_below(source);
  std::vector<ScannedFile> outputs;
  for (const OutputRule& rule : rules) {
    const Collector collector(without_slash(rule.pattern));
    const auto before = outputs.size();
    for (const std::string& file : files) {
      const std::string name = collector.name_of(file);
      if (name.empty()) continue;
      const struct stat status = status_of(source, file, begin_ns);
      if (const auto problem = storage::path_problem(name)) refuse(file, *problem);
      ScannedFile output;
      output.entry.path = name;
      output.entry.platform = rule.platform;
      output.entry.size_bytes = std::uint64_t(status.st_size);
      output.entry.executable = (status.st_mode & S_IXUSR) != 0;
      output.source = source / file;
      outputs.push_back(std::move(output));
    }
    if (outputs.size() == before) {
      throw Error(ErrorCode::unprocessable, "matched nothing: " + printable(rule.pattern));
    }
  }
  // A file that two patterns mean is one file.
  std::ranges::stable_sort(outputs, comes_first);
  const auto same = std::unique(outputs.begin(), outputs.end(),
                                [](const ScannedFile& a, const ScannedFile& b) {
                                  return !comes_first(a, b) && a.source == b.source;
                                });
  outputs.erase(same, outputs.end());
  require_distinct(outputs);
  return outputs;
}

fs::path find_output(const fs::path& source, const std::string& name,
                     std::int64_t begin_ns) {
  if (!fs::exists(source / name)) refuse(name, "was not made");
  status_of(source, name, begin_ns);
  return source / name;
}

}  // namespace mendel::cli
