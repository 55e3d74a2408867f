#pragma once

#include <optional>

#include "registry/services/search_tokens.h"
#include "schema/search_query.h"

namespace mendel::registry {

// One field of a query with what is asked of it, such as kind:model; refuses through tokens
// what makes no sense. target: what alone has such a field, if it is not both.
struct FieldMeaning {
  schema::SearchNode node;
  std::optional<schema::SearchTarget> target;
};
FieldMeaning read_search_field(const SearchTokens& tokens, const SearchField& field,
                               const SearchOperator& op, const SearchValue& value);

schema::SearchNode condition_node(schema::SearchCondition condition);
schema::SearchNode negated(schema::SearchNode node);
schema::SearchNode group_node(schema::SearchNode::Kind kind,
                              std::vector<schema::SearchNode> parts);

}  // namespace mendel::registry
