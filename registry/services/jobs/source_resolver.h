#pragma once

#include <string>

namespace mendel::registry {

// Finds the commit that a branch or tag of a git repository names now.
class SourceResolver {
 public:
  virtual ~SourceResolver() = default;

  // 40 or 64 hexadecimal digits. Throws not_found and permission_denied, which stay so, and
  // unavailable and deadline_exceeded, which may pass.
  virtual std::string commit_of(const std::string& repository, const std::string& ref) = 0;
};

}  // namespace mendel::registry
