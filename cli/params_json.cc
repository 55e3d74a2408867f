// JSON as RFC 8259 has it, and nothing more: no comments, no commas at the end, no second
// member of one name. Bare NaN and Infinity, which some programs write, are recognised only
// to say where they stand. A reader of our own, since a library's has no pointer and no
// line for what it refuses, and no way to keep a number as it was written.

#include "cli/params_place.h"
#include "storage/base/error.h"

namespace mendel::cli {

namespace {

using nlohmann::json;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

class JsonReader {
 public:
  JsonReader(std::string_view text, Lossy lossy) : text_(text), place_(lossy) {}

  json read() {
    json value = read_value();
    skip_space();
    if (at_ < text_.size()) fail("goes on after its end");
    return value;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw Error(ErrorCode::invalid_argument, "the hyperparameters are not JSON: line " +
                                                 std::to_string(line_) + " " + what);
  }

  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  bool take(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }

  void skip_space() {
    for (; is_space(peek()); ++at_) {
      if (text_[at_] == '\n') ++line_;
    }
  }

  json read_value() {
    skip_space();
    place_.count(1, 0);
    switch (peek()) {
      case '{': return read_object();
      case '[': return read_array();
      case '"': return read_string();
      default: break;
    }
    if (take("null")) return nullptr;
    if (take("true")) return true;
    if (take("false")) return false;
    for (const std::string_view word : {"NaN", "Infinity", "-Infinity"}) {
      if (take(word)) return place_.not_finite(word, line_);
    }
    return read_number();
  }

  json read_object() {
    json object = json::object();
    ++at_;
    skip_space();
    if (take("}")) return object;
    do {
      skip_space();
      if (peek() != '"') fail("has no name where a member's should be");
      const std::string name = read_string();
      if (object.contains(name))
        place_.refuse(line_, "has the member '" + name + "' twice");
      skip_space();
      if (!take(":")) fail("has no ':' after a member's name");
      place_.enter(name);
      object[name] = read_value();
      place_.leave();
      skip_space();
    } while (take(","));
    if (!take("}")) fail("has neither ',' nor '}' after a member");
    return object;
  }

  json read_array() {
    json array = json::array();
    ++at_;
    skip_space();
    if (take("]")) return array;
    do {
      place_.enter(array.size());
      array.push_back(read_value());
      place_.leave();
      skip_space();
    } while (take(","));
    if (!take("]")) fail("has neither ',' nor ']' after an element");
    return array;
  }

  json read_number() {
    const std::size_t begin = at_;
    take("-");
    const std::size_t first_digit = at_;
    skip_digits();
    if (text_[first_digit] == '0' && at_ > first_digit + 1) {
      fail("has a number that begins with 0");
    }
    const bool is_whole = peek() != '.' && peek() != 'e' && peek() != 'E';
    const std::string_view digits = text_.substr(first_digit, at_ - first_digit);
    if (take(".")) skip_digits();
    if (take("e") || take("E")) {
      if (!take("+")) take("-");
      skip_digits();
    }
    const std::string_view written = text_.substr(begin, at_ - begin);
    if (is_whole) return place_.integer(written, digits, begin < first_digit, 10, line_);
    return place_.floating(written, line_);
  }

  void skip_digits() {
    if (!is_digit(peek())) {
      fail(at_ < text_.size() ? "has something that is no value" : "ends midway");
    }
    while (is_digit(peek())) ++at_;
  }

  std::string read_string() {
    std::string text;
    for (++at_; peek() != '"';) {
      if (at_ >= text_.size()) fail("ends within a text");
      const char c = text_[at_++];
      if (static_cast<unsigned char>(c) < 0x20) fail("has a control character in a text");
      c == '\\' ? append_escaped(text) : text.push_back(c);
    }
    ++at_;
    place_.count(0, text.size());
    return place_.text(text, line_).get<std::string>();
  }

  void append_escaped(std::string& text) {
    constexpr std::string_view kNames = "\"\\/bfnrt";
    constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    const char name = peek();
    ++at_;
    if (name == 'u') return append_utf8(text, read_code_point());
    const auto known = kNames.find(name);
    if (name == '\0' || known == kNames.npos) fail("has an escape that JSON does not know");
    text.push_back(kMeanings[known]);
  }

  char32_t read_code_point() {
    const char32_t first = read_hex4();
    if (first < 0xD800 || first > 0xDFFF) return first;
    if (first > 0xDBFF || !take("\\u")) fail("has half a surrogate pair");
    const char32_t second = read_hex4();
    if (second < 0xDC00 || second > 0xDFFF) fail("has half a surrogate pair");
    return 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
  }

  char32_t read_hex4() {
    constexpr std::string_view kDigits = "0123456789abcdef";
    char32_t value = 0;
    for (int i = 0; i < 4; ++i) {
      const char c = peek();
      const auto digit = kDigits.find(c >= 'A' && c <= 'F' ? char(c - 'A' + 'a') : c);
      if (at_ >= text_.size() || digit == kDigits.npos) {
        fail("has a \\u without four hexadecimal digits");
      }
      value = value * 16 + char32_t(digit);
      ++at_;
    }
    return value;
  }

  static void append_utf8(std::string& text, char32_t code) {
    const auto tail = [&](int shift) {
      text.push_back(char(0x80 | ((code >> shift) & 0x3F)));
    };
    if (code < 0x80) {
      text.push_back(char(code));
    } else if (code < 0x800) {
      text.push_back(char(0xC0 | (code >> 6)));
      tail(0);
    } else if (code < 0x10000) {
      text.push_back(char(0xE0 | (code >> 12)));
      tail(6);
      tail(0);
    } else {
      text.push_back(char(0xF0 | (code >> 18)));
      tail(12);
      tail(6);
      tail(0);
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  ParamsPlace place_;
};

}  // namespace

json read_json_params(std::string_view text, Lossy lossy) {
  return JsonReader(text, lossy).read();
}

}  // namespace mendel::cli
