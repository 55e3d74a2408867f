#include "tests/fuzz/hostile_search.h"

#include <algorithm>
#include <cstdlib>

#include "registry/services/search_query.h"
#include "storage/base/digest.h"
#include "storage/base/error.h"

namespace mendel::testing {

namespace {

using schema::SearchNode;

void require(bool promise) {
  if (!promise) std::abort();
}

std::size_t count_conditions(const SearchNode& node, std::size_t depth) {
  require(depth <= 3 * registry::kSearchDepthMax);  // OR, AND and NOT make one level each
  require(node.condition.has_value() == (node.kind == SearchNode::Kind::condition));
  std::size_t count = node.condition ? 1 : 0;
  for (const SearchNode& part : node.parts) count += count_conditions(part, depth + 1);
  return count;
}

}  // namespace

bool parse_hostile_search(std::span<const std::byte> input) {
  try {
    const auto query = registry::parse_search(as_text(input));
    // name:NAMESPACE/NAME makes two.
    require(count_conditions(query.root, 0) <= 2 * registry::kSearchTermsMax);
    return true;
  } catch (const Error& error) {
    require(error.code() == ErrorCode::invalid_argument);
    return false;
  }
}

}  // namespace mendel::testing
