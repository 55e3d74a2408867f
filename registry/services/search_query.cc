// The grammar, with any white space between tokens and none that matters:
//
//   search   = [ any ]
//   any      = all { "OR" all }
//   all      = one { [ "AND" ] one }
//   one      = ( "NOT" | "-" ) one  |  "(" any ")"  |  term
//   term     = field operator value  |  "sha256:" 64 hexadecimal digits  |  value
//   field    = word | quoted, joined: metric."val loss".min
//   operator = ":" | "=" | "!=" | "<" | "<=" | ">" | ">="
//   value    = characters but white space, '(', ')' and '"'  |  quoted
//   quoted   = '"' characters, with \" and \\ for '"' and '\' '"'
//
// A value that is no field's ends at an operator, too. AND, OR and NOT are written in
// capitals. Fields, and what each takes, are in search_fields.cc.

#include "registry/services/search_query.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "registry/services/search_fields.h"
#include "registry/services/search_tokens.h"

namespace mendel::registry {

namespace {

using schema::SearchNode;
using schema::SearchTarget;

class Parser {
 public:
  explicit Parser(std::string_view text) : tokens_(text) {}

  schema::SearchQuery read_search();

 private:
  SearchNode read_any();
  SearchNode read_all();
  SearchNode read_one();
  SearchNode read_group();
  SearchNode read_term();
  bool begins_one();
  bool take_negation() { return tokens_.take_word("NOT") || tokens_.take('-'); }
  void take_target(const SearchField& field, const SearchOperator& op,
                   const SearchValue& value);
  void require_target(const std::string& field, SearchTarget needed, std::size_t at) const;

  // A field that only one of versions and runs has.
  struct OneSided {
    std::string field;
    SearchTarget target;
    std::size_t at;
  };

  SearchTokens tokens_;
  std::size_t depth_ = 0;
  std::size_t nested_ = 0;  // in OR, NOT or parentheses, where is: says nothing
  std::size_t terms_ = 0;
  std::optional<SearchTarget> target_;
  std::vector<OneSided> one_sided_;
};

SearchNode Parser::read_any() {
  const std::size_t begun = tokens_.at();
  const bool had_target = target_.has_value();
  std::vector<SearchNode> parts;
  parts.push_back(read_all());
  for (tokens_.skip_space(); tokens_.take_word("OR"); tokens_.skip_space()) {
    ++nested_;
    parts.push_back(read_all());
    --nested_;
  }
  if (parts.size() == 1) return std::move(parts.front());
  if (target_.has_value() != had_target) {
    tokens_.refuse(begun, "write is: outside of OR, NOT and parentheses");
  }
  return group_node(SearchNode::Kind::any_of, std::move(parts));
}

bool Parser::begins_one() {
  tokens_.skip_space();
  return !tokens_.at_end() && !tokens_.begins(")") && !tokens_.begins_word("OR");
}

SearchNode Parser::read_all() {
  std::vector<SearchNode> parts;
  do {
    parts.push_back(read_one());
    tokens_.skip_space();
  } while (tokens_.take_word("AND") || begins_one());
  if (parts.size() == 1) return std::move(parts.front());
  return group_node(SearchNode::Kind::all_of, std::move(parts));
}

SearchNode Parser::read_one() {
  tokens_.skip_space();
  if (++depth_ > kSearchDepthMax) {
    tokens_.refuse(tokens_.at(),
                   fmt::format("this is nested deeper than {}", kSearchDepthMax));
  }
  SearchNode node;
  if (take_negation()) {
    ++nested_;
    node = negated(read_one());
    --nested_;
  } else {
    node = tokens_.begins("(") ? read_group() : read_term();
  }
  --depth_;
  return node;
}

SearchNode Parser::read_group() {
  const std::size_t opened = tokens_.at();
  tokens_.take('(');
  ++nested_;
  SearchNode node = read_any();
  --nested_;
  tokens_.skip_space();
  if (!tokens_.take(')')) tokens_.refuse(opened, "this parenthesis is not closed");
  return node;
}

SearchNode Parser::read_term() {
  const std::size_t begun = tokens_.at();
  if (tokens_.at_end() || tokens_.begins(")") || tokens_.begins_word("AND") ||
      tokens_.begins_word("OR")) {
    tokens_.refuse(begun, "expected something to search for");
  }
  if (++terms_ > kSearchTermsMax) {
    tokens_.refuse(begun, fmt::format("a search has at most {} terms", kSearchTermsMax));
  }
  const SearchField field = tokens_.take_field();
  const SearchOperator* const op = tokens_.take_operator();
  if (op == nullptr) return condition_node(schema::WordsCondition{field.name});

  if (field.name.empty()) {
    tokens_.refuse(begun, fmt::format("expected a field before {}", op->text));
  }
  const SearchValue value = tokens_.take_value(field, *op);
  if (field.name == "is") {
    take_target(field, *op, value);
    return group_node(SearchNode::Kind::all_of, {});
  }
  FieldMeaning meaning = read_search_field(tokens_, field, *op, value);
  if (meaning.target) one_sided_.push_back({field.name, *meaning.target, field.at});
  return std::move(meaning.node);
}

void Parser::take_target(const SearchField& field, const SearchOperator& op,
                         const SearchValue& value) {
  if (op.text != ":" || (value.text != "run" && value.text != "version")) {
    tokens_.refuse(field.at, "expected is:run or is:version");
  }
  if (nested_ > 0) {
    tokens_.refuse(field.at, "write is: outside of OR, NOT and parentheses");
  }
  const auto target = value.text == "run" ? SearchTarget::runs : SearchTarget::versions;
  if (target_.value_or(target) != target) {
    tokens_.refuse(field.at, "a search is for versions or for runs, not for both");
  }
  target_ = target;
}

void Parser::require_target(const std::string& field, SearchTarget needed,
                            std::size_t at) const {
  if (needed == target_.value_or(SearchTarget::versions)) return;
  tokens_.refuse(at, needed == SearchTarget::runs
                         ? fmt::format("only runs have {}: write is:run as well", field)
                         : fmt::format("a run has no {}: leave is:run out", field));
}

schema::SearchQuery Parser::read_search() {
  std::vector<SearchNode> parts;
  tokens_.skip_space();
  if (!tokens_.at_end()) parts.push_back(read_any());
  tokens_.skip_space();
  if (!tokens_.at_end())
    tokens_.refuse(tokens_.at(), "there is nothing that this ) closes");
  for (const auto& [field, target, at] : one_sided_) require_target(field, target, at);
  return {.target = target_.value_or(SearchTarget::versions),
          .root = group_node(SearchNode::Kind::all_of, std::move(parts))};
}

}  // namespace

schema::SearchQuery parse_search(std::string_view text) {
  return Parser(text).read_search();
}

}  // namespace mendel::registry
