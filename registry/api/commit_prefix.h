#pragma once

#include <string>
#include <string_view>

namespace mendel::registry::api {

// Some first digits of a commit's hash, enough to look for it. Throws invalid_argument.
std::string commit_prefix(std::string_view text);

}  // namespace mendel::registry::api
