// The pattern is a chain of tokens, and matching follows all ways through the chain at
// once: states[i] says that the text so far may have been matched by the tokens before i.

#include "storage/base/glob.h"

#include <algorithm>

#include "storage/base/error.h"

namespace mendel {

namespace {

// Bytes that are no UTF-8 become values that no code point has.
constexpr char32_t kStrayByte = 0x110000;

std::size_t sequence_size(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead < 0xe0) return 2;
  if (lead >= 0xe0 && lead < 0xf0) return 3;
  if (lead >= 0xf0 && lead < 0xf5) return 4;
  return 0;
}

// Takes one character from the front.
char32_t take(std::string_view& text) {
  const auto lead = static_cast<unsigned char>(text.front());
  const std::size_t size = sequence_size(lead);
  if (size > 1 && size <= text.size()) {
    constexpr unsigned kLeadBits[] = {0, 0, 0x1f, 0x0f, 0x07};
    char32_t character = lead & kLeadBits[size];
    bool is_whole = true;
    for (const char c : text.substr(1, size - 1)) {
      is_whole = is_whole && (static_cast<unsigned char>(c) & 0xc0) == 0x80;
      character = (character << 6) | (static_cast<unsigned char>(c) & 0x3f);
    }
    if (is_whole) {
      text.remove_prefix(size);
      return character;
    }
  }
  text.remove_prefix(1);
  return lead < 0x80 ? lead : kStrayByte + lead;
}

}  // namespace

class Glob::Parser {
 public:
  explicit Parser(std::string_view pattern) : whole_(pattern), rest_(pattern) {}

  std::vector<Token> parse() {
    if (whole_.empty()) refuse("a pattern is not empty");
    if (whole_.size() > kSizeMax) refuse("a pattern has at most 1024 bytes");
    while (!rest_.empty()) tokens_.push_back(next());
    return std::move(tokens_);
  }

 private:
  std::size_t position() const { return whole_.size() - rest_.size(); }

  [[noreturn]] void refuse(const std::string& why) const {
    throw Error(ErrorCode::invalid_argument, why + ", at byte " +
                                                 std::to_string(position() + 1) + " of '" +
                                                 std::string(whole_) + "'");
  }

  Token next() {
    const bool at_part = position() == 0 || whole_[position() - 1] == '/';
    if (rest_.starts_with("**")) return next_across(at_part);
    switch (rest_.front()) {
      case '*': rest_.remove_prefix(1); return {Kind::run};
      case '?': rest_.remove_prefix(1); return {Kind::any};
      case '[': return next_class();
      default: break;
    }
    const char32_t literal = take_literal();
    return {Kind::one, {{literal, literal}}};
  }

  Token next_across(bool at_part) {
    while (rest_.starts_with('*')) rest_.remove_prefix(1);
    if (!at_part || !rest_.starts_with('/')) return {Kind::run_across};
    rest_.remove_prefix(1);
    return {Kind::directories};
  }

  char32_t take_literal() {
    if (rest_.front() == '\\') {
      if (rest_.size() == 1) refuse("a '\\' is followed by the character that it quotes");
      rest_.remove_prefix(1);
    }
    if (static_cast<unsigned char>(rest_.front()) < ' ' || rest_.front() == '\x7f') {
      refuse("a pattern has no control characters");
    }
    return take(rest_);
  }

  char32_t take_of_class() {
    if (rest_.empty()) refuse("a '[' has no ']'");
    const char32_t character = take_literal();
    if (character == '/') refuse("a '/' is in no '[…]'");
    return character;
  }

  Token next_class() {
    rest_.remove_prefix(1);
    Token token{Kind::any_of};
    if (rest_.starts_with('!') || rest_.starts_with('^')) {
      token.negated = true;
      rest_.remove_prefix(1);
    }
    if (rest_.starts_with(']')) refuse("a '[…]' names at least one character");
    while (!rest_.starts_with(']')) {
      Range range;
      range.first = range.last = take_of_class();
      if (rest_.starts_with('-') && !rest_.starts_with("-]")) {
        rest_.remove_prefix(1);
        range.last = take_of_class();
        if (range.last < range.first) refuse("a range goes from the lower to the higher");
      }
      token.ranges.push_back(range);
    }
    rest_.remove_prefix(1);
    return token;
  }

  const std::string_view whole_;
  std::string_view rest_;
  std::vector<Token> tokens_;
};

Glob Glob::parse(std::string_view pattern) {
  Glob glob;
  glob.tokens_ = Parser(pattern).parse();
  glob.pattern_ = pattern;
  return glob;
}

bool Glob::accepts(const Token& token, char32_t character) {
  switch (token.kind) {
    case Kind::one: return character == token.ranges.front().first;
    case Kind::any:
    case Kind::run: return character != '/';
    case Kind::any_of: {
      if (character == '/') return false;
      const bool is_in = std::ranges::any_of(token.ranges, [&](const Range& range) {
        return range.first <= character && character <= range.last;
      });
      return is_in != token.negated;
    }
    case Kind::run_across:
    case Kind::directories: return true;
  }
  return false;
}

// Adds the states that are reached without a character: what may stand for nothing does.
void Glob::follow(std::vector<char>& states, bool at_part) const {
  for (std::size_t i = 0; i < tokens_.size(); ++i) {
    if (!states[i]) continue;
    const Kind kind = tokens_[i].kind;
    const bool may_be_over = kind == Kind::run || kind == Kind::run_across ||
                             (kind == Kind::directories && at_part);
    if (may_be_over) states[i + 1] = true;
  }
}

bool Glob::matches(std::string_view text) const {
  std::vector<char> states(tokens_.size() + 1, false);
  std::vector<char> following(states.size());
  states[0] = true;
  follow(states, true);
  while (!text.empty()) {
    const char32_t character = take(text);
    std::ranges::fill(following, false);
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      if (!states[i] || !accepts(tokens_[i], character)) continue;
      const Kind kind = tokens_[i].kind;
      const bool stays =
          kind == Kind::run || kind == Kind::run_across || kind == Kind::directories;
      following[stays ? i : i + 1] = true;
    }
    states.swap(following);
    follow(states, character == '/');
  }
  return states.back();
}

}  // namespace mendel
