#include "registry/services/search_tokens.h"

#include <fmt/format.h>

#include <algorithm>

#include "registry/services/search_query.h"
#include "storage/base/error.h"
#include "storage/utf8.h"

namespace mendel::registry {

namespace {

using schema::Comparison;

// The longer before what they begin with.
constexpr SearchOperator kOperators[] = {{":", Comparison::equal, true},
                                         {"=", Comparison::equal, false},
                                         {"!=", Comparison::not_equal, false},
                                         {"<=", Comparison::less_or_equal, false},
                                         {">=", Comparison::greater_or_equal, false},
                                         {"<", Comparison::less, false},
                                         {">", Comparison::greater, false}};

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool ends_value(char c) { return is_space(c) || c == '(' || c == ')' || c == '"'; }

}  // namespace

SearchTokens::SearchTokens(std::string_view text) : text_(text) {
  if (text_.size() > kSearchSizeMax) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("a search has at most {} bytes", kSearchSizeMax));
  }
  if (!storage::is_utf8(text_) || text_.find('\0') != text_.npos) {
    throw Error(ErrorCode::invalid_argument, "a search is UTF-8 text without NUL");
  }
}

void SearchTokens::refuse(std::size_t at, const std::string& problem) const {
  const auto characters =
      std::ranges::count_if(text_.substr(0, at), [](char c) { return (c & 0xC0) != 0x80; });
  throw Error(ErrorCode::invalid_argument,
              fmt::format("the search, at character {}: {}", characters + 1, problem));
}

void SearchTokens::skip_space() {
  while (!at_end() && is_space(text_[at_])) ++at_;
}

bool SearchTokens::begins_word(std::string_view keyword) const {
  const std::size_t after = at_ + keyword.size();
  return begins(keyword) && (after >= text_.size() || ends_value(text_[after]));
}

bool SearchTokens::take(char c) {
  if (at_end() || text_[at_] != c) return false;
  ++at_;
  return true;
}

bool SearchTokens::take_word(std::string_view keyword) {
  if (!begins_word(keyword)) return false;
  at_ += keyword.size();
  return true;
}

const SearchOperator* SearchTokens::take_operator() {
  const std::size_t before = at_;
  skip_space();
  for (const SearchOperator& op : kOperators) {
    if (!begins(op.text)) continue;
    at_ += op.text.size();
    return &op;
  }
  at_ = before;
  return nullptr;
}

std::string SearchTokens::take_quoted() {
  const std::size_t opened = at_++;
  std::string quoted;
  while (!at_end() && text_[at_] != '"') {
    if (text_[at_] == '\\') {
      ++at_;
      if (at_end() || (text_[at_] != '"' && text_[at_] != '\\')) {
        refuse(at_, "expected \" or \\ after a \\ in quotes");
      }
    }
    quoted += text_[at_++];
  }
  if (at_end()) refuse(opened, "this quote is not closed");
  ++at_;
  return quoted;
}

// Up to an operator, or the end of a value.
SearchField SearchTokens::take_field() {
  SearchField field{.name = {}, .bare_at = 0, .at = at_};
  while (!at_end()) {
    if (text_[at_] == '"') {
      field.name += take_quoted();
      field.bare_at = field.name.size();
      continue;
    }
    const bool is_operator = std::ranges::any_of(
        kOperators, [&](const SearchOperator& op) { return begins(op.text); });
    if (is_operator || ends_value(text_[at_])) break;
    field.name += text_[at_++];
  }
  return field;
}

SearchValue SearchTokens::take_value(const SearchField& field, const SearchOperator& op) {
  skip_space();
  SearchValue value{.text = {}, .quoted = false, .at = at_};
  if (begins("\"")) {
    value.quoted = true;
    value.text = take_quoted();
    return value;
  }
  while (!at_end() && !ends_value(text_[at_])) value.text += text_[at_++];
  if (value.text.empty()) {
    refuse(at_, fmt::format("expected a value after {}{}", field.name, op.text));
  }
  return value;
}

}  // namespace mendel::registry
