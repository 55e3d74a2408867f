#include "registry/services/ledger/amount_sum.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "storage/base/error.h"

namespace mendel::registry {

namespace {

constexpr std::int64_t kLimbBase = 1'000'000'000;

std::int64_t number_of(std::string_view digits) {
  std::int64_t number = 0;
  for (const char digit : digits) number = number * 10 + (digit - '0');
  return number;
}

}  // namespace

void AmountSum::add_signed(const Amount& amount, std::int64_t sign) {
  std::string_view text = amount.text();
  if (text.starts_with('-')) {
    sign = -sign;
    text.remove_prefix(1);
  }
  const auto point = std::min(text.find('.'), text.size());
  std::string_view whole = text.substr(0, point);
  std::string fraction(text.substr(std::min(point + 1, text.size())));
  if (whole.size() > (kLimbs - kFractionLimbs) * kLimbDigits ||
      fraction.size() > kFractionLimbs * kLimbDigits) {
    throw Error(ErrorCode::data_loss, "an amount has more digits than any can have");
  }
  fraction.resize(kFractionLimbs * kLimbDigits, '0');
  for (std::size_t limb = 0; limb < kFractionLimbs; ++limb) {
    const auto begin = (kFractionLimbs - 1 - limb) * kLimbDigits;
    limbs_[limb] += sign * number_of(std::string_view(fraction).substr(begin, kLimbDigits));
  }
  for (std::size_t limb = kFractionLimbs; !whole.empty(); ++limb) {
    const auto digits = std::min(whole.size(), kLimbDigits);
    limbs_[limb] += sign * number_of(whole.substr(whole.size() - digits));
    whole.remove_suffix(digits);
  }
}

Amount AmountSum::total() const {
  auto limbs = limbs_;
  const auto carry = [&limbs] {
    for (std::size_t limb = 0; limb + 1 < kLimbs; ++limb) {
      std::int64_t over = limbs[limb] / kLimbBase;
      if (limbs[limb] % kLimbBase < 0) --over;
      limbs[limb] -= over * kLimbBase;
      limbs[limb + 1] += over;
    }
  };
  carry();
  const bool is_negative = limbs.back() < 0;
  if (is_negative) {
    for (std::int64_t& limb : limbs) limb = -limb;
    carry();
  }

  std::string text;
  for (std::size_t limb = kLimbs; limb-- > 0;) {
    const std::string digits = std::to_string(limbs[limb]);
    text.append(kLimbDigits - std::min(digits.size(), kLimbDigits), '0');
    text += digits;
    if (limb == kFractionLimbs) text += '.';
  }
  text.erase(0, std::min(text.find_first_not_of('0'), text.find('.') - 1));
  return Amount::parse(is_negative ? "-" + text : text);
}

}  // namespace mendel::registry
