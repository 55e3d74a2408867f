#pragma once

#include <string>
#include <string_view>

#include "registry/services/egress/authority.h"

namespace mendel::registry {

// Where a git repository is, taken apart. One that exists has a host of harmless characters
// and a path without '.', '..' or empty parts: put together again it means the same to
// every program that reads it.
struct RepositoryUrl {
  std::string scheme;   // "https", "ssh"…; empty in "host/path"
  Authority authority;  // with a port only if it is not the scheme's own
  std::string path;     // without the leading '/', without ".git"
  bool has_git_suffix = false;

  // Understands URLs, "git@host:path" as ssh has it, and what normal_repository() makes.
  // Throws invalid_argument for anything else, local paths among it.
  static RepositoryUrl parse(std::string_view text);

  // How the repository is asked for, without user and password.
  std::string text() const;
};

// The same text for every way to write the address of one repository: "host/group/name",
// with a port only where http needs one. What it makes it leaves as it is. Throws
// invalid_argument.
std::string normal_repository(std::string_view url);

}  // namespace mendel::registry
