#include "registry/services/ledger/amount.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <system_error>

#include "storage/base/error.h"

namespace mendel::registry {

namespace {

constexpr double kSizeMin = 1e-9;
constexpr double kSizeMax = 1e18;
constexpr std::size_t kTextSizeMax = 64;  // 1e-9 with 17 digits has 28

bool is_digits(std::string_view text) {
  return !text.empty() &&
         std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

[[noreturn]] void refuse_stored(std::string_view text) {
  throw Error(ErrorCode::data_loss,
              "a stored amount is no decimal number: " + std::string(text));
}

}  // namespace

Amount Amount::of(double number) {
  if (number == 0) return Amount();
  const double size = std::abs(number);
  if (!(size >= kSizeMin && size <= kSizeMax)) {
    throw Error(ErrorCode::invalid_argument,
                "must be a number that is 0, or from 1e-9 to 1e18 in size");
  }
  std::array<char, kTextSizeMax> text;
  const auto written = std::to_chars(text.data(), text.data() + text.size(), number,
                                     std::chars_format::fixed);
  return Amount(std::string(text.data(), written.ptr));
}

Amount Amount::parse(std::string_view text) {
  const bool is_negative = text.starts_with('-');
  const std::string_view size = text.substr(is_negative ? 1 : 0);
  const auto point = size.find('.');
  std::string_view whole = size.substr(0, point);
  std::string_view fraction =
      point == std::string_view::npos ? std::string_view() : size.substr(point + 1);
  const bool has_fraction = point != std::string_view::npos;
  if (!is_digits(whole) || (has_fraction && !is_digits(fraction))) refuse_stored(text);
  whole.remove_prefix(std::min(whole.find_first_not_of('0'), whole.size() - 1));
  while (fraction.ends_with('0')) fraction.remove_suffix(1);

  std::string plain(whole);
  if (!fraction.empty()) plain.append(1, '.').append(fraction);
  if (is_negative && plain != "0") plain.insert(plain.begin(), '-');
  return Amount(std::move(plain));
}

double Amount::to_double() const {
  double number = 0;
  std::from_chars(text_.data(), text_.data() + text_.size(), number);
  return number;
}

}  // namespace mendel::registry
