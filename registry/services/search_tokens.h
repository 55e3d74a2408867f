#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "schema/search_query.h"

namespace mendel::registry {

struct SearchOperator {
  std::string_view text;
  schema::Comparison comparison;
  bool takes_pattern;  // '*' in its value is anything
};

// What stands before an operator: metric."val loss".min
struct SearchField {
  std::string name;         // with what was quoted in it
  std::size_t bare_at = 0;  // where its end begins that was not quoted
  std::size_t at = 0;       // in the query
};

struct SearchValue {
  std::string text;
  bool quoted = false;
  std::size_t at = 0;
};

// Reads a query from left to right. The grammar is in search_query.cc.
class SearchTokens {
 public:
  // Throws invalid_argument for what is too long or no text.
  explicit SearchTokens(std::string_view text);

  std::size_t at() const { return at_; }
  bool at_end() const { return at_ == text_.size(); }
  void skip_space();

  bool begins(std::string_view token) const { return text_.substr(at_).starts_with(token); }
  bool begins_word(std::string_view keyword) const;

  // What is not there is not taken: false, and nullptr.
  bool take(char c);
  bool take_word(std::string_view keyword);
  const SearchOperator* take_operator();  // with the space before it

  SearchField take_field();
  SearchValue take_value(const SearchField& field, const SearchOperator& op);

  // Throws invalid_argument with the place, counted in characters from 1.
  [[noreturn]] void refuse(std::size_t at, const std::string& problem) const;

 private:
  std::string take_quoted();

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace mendel::registry
