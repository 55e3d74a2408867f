#include "registry/api/commit_prefix.h"

#include <cstddef>

#include "registry/services/pedigree.h"
#include "storage/base/error.h"

namespace mendel::registry::api {

std::string commit_prefix(std::string_view text) {
  constexpr std::size_t kDigitsMax = 64;
  const bool is_hex = text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  if (!is_hex || text.size() < PedigreeService::kCommitPrefixMin ||
      text.size() > kDigitsMax) {
    throw Error(ErrorCode::invalid_argument,
                "a commit is written as 7 or more lower-case hexadecimal digits");
  }
  return std::string(text);
}

}  // namespace mendel::registry::api
