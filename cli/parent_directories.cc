#include "cli/parent_directories.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "storage/base/error.h"
#include "storage/base/posix_error.h"

namespace mendel::cli {

namespace {

[[noreturn]] void throw_step_error(const std::string& path, int error_number) {
  if (error_number == ELOOP || error_number == ENOTDIR) {
    throw Error(ErrorCode::failed_precondition,
                "something other than a directory is in the way of " + path);
  }
  throw_posix_error("open the directory of", path, error_number);
}

Fd open_step(const Fd& above, const std::string& step) {
  return Fd(
      ::openat(above.get(), step.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

}  // namespace

std::string parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == path.npos ? std::string() : path.substr(0, slash);
}

std::string name_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

ParentDirectories::ParentDirectories(Fd top)
    : top_(std::make_shared<const Fd>(std::move(top))) {
  forget();
}

void ParentDirectories::forget() {
  open_ = std::make_unique<LruCache<std::string, const Fd>>(kOpenMax);
}

std::shared_ptr<const Fd> ParentDirectories::open(const std::string& path,
                                                  Missing missing) {
  const std::string parent = parent_of(path);
  if (parent.empty()) return top_;
  if (auto known = open_->find(parent)) return known;

  const auto above = open(parent, missing);
  if (!above) return nullptr;
  const std::string step = name_of(parent);
  if (step == ".." || step == "." || step.empty()) throw_step_error(path, ELOOP);
  Fd here = open_step(*above, step);
  if (!here && errno == ENOENT && missing == Missing::create) {
    if (::mkdirat(above->get(), step.c_str(), 0777) != 0 && errno != EEXIST) {
      throw_posix_error("make the directory of", path, errno);
    }
    here = open_step(*above, step);
  }
  if (!here && errno == ENOENT) return nullptr;
  if (!here) throw_step_error(path, errno);
  auto shared = std::make_shared<const Fd>(std::move(here));
  open_->put(parent, shared, 1);
  return shared;
}

}  // namespace mendel::cli
