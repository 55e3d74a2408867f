#pragma once

#include <memory>
#include <string>

#include "storage/base/fd.h"
#include "storage/base/lru_cache.h"

namespace mendel::cli {

enum class Missing { stop, create };

// Opens the directories below a top one, a step at a time and never through a link, so that
// whatever a path says nothing outside is reached. The last ones stay open: files that
// follow each other mostly lie together. Any thread, but for forget().
class ParentDirectories {
 public:
  explicit ParentDirectories(Fd top);

  // The directory that path, relative and with '/', is in. nullptr if a step is missing and
  // is not to be made. Throws failed_precondition where something else is in the way.
  std::shared_ptr<const Fd> open(const std::string& path, Missing missing);

  // Directories were removed: what was open may be gone.
  void forget();

 private:
  static constexpr std::size_t kOpenMax = 32;

  std::shared_ptr<const Fd> top_;
  std::unique_ptr<LruCache<std::string, const Fd>> open_;
};

// "a/b" of "a/b/c", "" of "c"; and "c" of both.
std::string parent_of(const std::string& path);
std::string name_of(const std::string& path);

}  // namespace mendel::cli
