#pragma once

#include <unistd.h>

#include <string>
#include <string_view>

#include "storage/base/digest.h"

namespace mendel::testing {

// What the shared test server and its users agree on, in one directory per build:
inline constexpr const char* kUsersFile = "users";    // locked, shared, by each user
inline constexpr const char* kKeeperFile = "keeper";  // locked by the server's program
inline constexpr const char* kUrlFile = "url";        // there when it accepts connections

// Short, because a socket's path must be.
inline std::string test_server_directory(std::string_view program) {
  return "/tmp/mendel-test-" + std::to_string(geteuid()) + "-" +
         Digest::of(program).hex().substr(0, 12);
}

}  // namespace mendel::testing
