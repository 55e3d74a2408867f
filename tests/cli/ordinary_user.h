#pragma once

#include <unistd.h>

#include <string>

namespace mendel::cli {

// While it lives, the test is nobody, if it was started by root: modes mean something then.
// The directory becomes theirs.
class OrdinaryUser {
 public:
  explicit OrdinaryUser(const std::string& directory) : user_(::geteuid()) {
    if (user_ != 0) return;
    constexpr ::uid_t kNobody = 65534;
    is_changed_ =
        ::chown(directory.c_str(), kNobody, ::gid_t(-1)) == 0 && ::seteuid(kNobody) == 0;
  }
  ~OrdinaryUser() {
    if (is_changed_ && ::seteuid(user_) != 0) ::_exit(1);
  }
  OrdinaryUser(const OrdinaryUser&) = delete;
  OrdinaryUser& operator=(const OrdinaryUser&) = delete;

 private:
  const ::uid_t user_;
  bool is_changed_ = false;
};

}  // namespace mendel::cli
