#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mendel {

// A pattern for paths and for names of branches and tags:
//
//   *        any characters but '/'
//   **       any characters; "**/" at the beginning of a part: any directories, or none
//   ?        one character, but not '/'
//   [a-z_]   one of these; [!a-z] one that is none of them, and not '/'
//   \        what follows stands for itself
//
// A character is a code point of UTF-8; a byte that is none stands for itself. Matching
// takes time in proportion to the lengths of pattern and text, whatever they are.
class Glob {
 public:
  // Throws invalid_argument, saying what is wrong and at which byte.
  static Glob parse(std::string_view pattern);

  bool matches(std::string_view text) const;
  const std::string& pattern() const { return pattern_; }

  static constexpr std::size_t kSizeMax = 1024;

 private:
  struct Range {
    char32_t first = 0;
    char32_t last = 0;
  };
  enum class Kind { one, any_of, any, run, run_across, directories };
  struct Token {
    Kind kind = Kind::one;
    std::vector<Range> ranges{};  // of one and any_of
    bool negated = false;
  };
  class Parser;

  static bool accepts(const Token& token, char32_t character);
  void follow(std::vector<char>& states, bool at_part) const;

  std::string pattern_;
  std::vector<Token> tokens_;
};

}  // namespace mendel
