#include "storage/canonical_json.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "storage/base/error.h"
#include "storage/utf8.h"

namespace mendel::storage {

namespace {

using nlohmann::json;

constexpr std::uint64_t kIntegerMax = 1ull << 53;

// Where a value stands in its document: spelled out only when something is wrong with it.
struct Place {
  const Place* parent;
  std::string_view member;
  std::size_t index;

  std::string pointer() const {
    if (parent == nullptr) return "";
    std::string text = parent->pointer() + '/';
    if (member.data() == nullptr) return text + std::to_string(index);
    for (const char c : member) {
      if (c == '~') {
        text += "~0";
      } else if (c == '/') {
        text += "~1";
      } else {
        text += c;
      }
    }
    return text;
  }

  int depth() const {
    int count = 0;
    for (const Place* place = parent; place != nullptr; place = place->parent) ++count;
    return count;
  }
};

[[noreturn]] void refuse(const Place& place, const std::string& rule) {
  const std::string pointer = place.pointer();
  throw Error(ErrorCode::invalid_argument,
              (pointer.empty() ? "the value" : pointer) + " " + rule, {{pointer, rule}});
}

// UTF-8 sorts as code points do, and so does UTF-16 but for one thing: a surrogate pair
// (four bytes in UTF-8) comes before U+E000 to U+FFFF (lead bytes EE and EF).
bool precedes_in_utf16(std::string_view left, std::string_view right) {
  const auto [l, r] = std::mismatch(left.begin(), left.end(), right.begin(), right.end());
  if (l == left.end() || r == right.end()) return l == left.end() && r != right.end();
  const auto a = static_cast<unsigned char>(*l);
  const auto b = static_cast<unsigned char>(*r);
  if (a >= 0xF0 && (b == 0xEE || b == 0xEF)) return true;
  if (b >= 0xF0 && (a == 0xEE || a == 0xEF)) return false;
  return a < b;
}

// ECMA-262, Number::toString. std::to_chars finds the shortest digits that read back as the
// same number; where the point goes is ECMAScript's own rule.
void append_number(std::string& out, double number) {
  if (number == 0) {
    out += '0';
    return;
  }
  if (number < 0) out += '-';

  std::array<char, 32> buffer;
  char* const end = std::to_chars(buffer.data(), buffer.data() + buffer.size(),
                                  std::abs(number), std::chars_format::scientific)
                        .ptr;
  const std::string text(buffer.data(), end);
  const std::size_t e = text.find('e');
  std::string digits = text.substr(0, 1);
  if (e > 1) digits += text.substr(2, e - 2);
  const int exponent = std::stoi(text.substr(e + 1));
  const int count = static_cast<int>(digits.size());
  const int point = exponent + 1;

  if (count <= point && point <= 21) {
    out += digits;
    out.append(point - count, '0');
  } else if (0 < point && point <= 21) {
    out.append(digits, 0, point).append(1, '.').append(digits, point);
  } else if (-6 < point && point <= 0) {
    out.append("0.").append(-point, '0').append(digits);
  } else {
    out += digits[0];
    if (count > 1) out.append(1, '.').append(digits, 1);
    out += exponent < 0 ? "e-" : "e+";
    out += std::to_string(std::abs(exponent));
  }
}

void append_text(std::string& out, const std::string& text, const Place& place) {
  if (!is_utf8(text)) refuse(place, "is not valid UTF-8");
  append_canonical_string(out, text);
}

void append_value(std::string& out, const json& value, const Place& place);

void append_array(std::string& out, const json& array, const Place& place) {
  out += '[';
  for (std::size_t i = 0; i < array.size(); ++i) {
    if (i > 0) out += ',';
    append_value(out, array[i], Place{&place, {}, i});
  }
  out += ']';
}

void append_object(std::string& out, const json& object, const Place& place) {
  std::vector<json::const_iterator> members;
  members.reserve(object.size());
  for (auto member = object.begin(); member != object.end(); ++member)
    members.push_back(member);
  std::sort(members.begin(), members.end(), [](const auto& left, const auto& right) {
    return precedes_in_utf16(left.key(), right.key());
  });

  out += '{';
  for (const auto& member : members) {
    if (member != members.front()) out += ',';
    const Place inside{&place, member.key(), 0};
    append_text(out, member.key(), place);
    out += ':';
    append_value(out, member.value(), inside);
  }
  out += '}';
}

void append_value(std::string& out, const json& value, const Place& place) {
  switch (value.type()) {
    case json::value_t::null: out += "null"; return;
    case json::value_t::boolean: out += value.get<bool>() ? "true" : "false"; return;
    case json::value_t::number_unsigned:
      if (value.get<std::uint64_t>() > kIntegerMax)
        refuse(place, "is an integer beyond 2^53");
      out += std::to_string(value.get<std::uint64_t>());
      return;
    case json::value_t::number_integer: {
      const auto number = value.get<std::int64_t>();
      constexpr auto kMax = static_cast<std::int64_t>(kIntegerMax);
      if (number > kMax || number < -kMax) refuse(place, "is an integer beyond 2^53");
      out += std::to_string(number);
      return;
    }
    case json::value_t::number_float:
      if (!std::isfinite(value.get<double>())) refuse(place, "is not a finite number");
      append_number(out, value.get<double>());
      return;
    case json::value_t::string:
      append_text(out, value.get_ref<const std::string&>(), place);
      return;
    case json::value_t::array:
    case json::value_t::object:
      if (place.depth() >= kJsonDepthMax) refuse(place, "is nested too deeply");
      value.is_array() ? append_array(out, value, place) : append_object(out, value, place);
      return;
    case json::value_t::binary:
    case json::value_t::discarded: refuse(place, "is not a JSON value");
  }
}

}  // namespace

std::string canonical_json(const json& value) {
  std::string out;
  append_value(out, value, Place{nullptr, {}, 0});
  return out;
}

void append_canonical_string(std::string& out, std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\b': out += "\\b"; break;
      case '\f': out += "\\f"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          out += "\\u00";
          out += digits[c >> 4];
          out += digits[c & 15];
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

}  // namespace mendel::storage
