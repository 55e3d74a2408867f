#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace mendel::registry {

// A decimal number as the ledger keeps it (PostgreSQL's numeric): sums of them are exact.
// The text is plain: no exponent, no leading or trailing zeros, no "-0". A value: copy it.
class Amount {
 public:
  Amount() = default;

  // The shortest decimal that reads back as the same double. Throws invalid_argument unless
  // it is 0, or from 1e-9 to 1e18 in size.
  static Amount of(double number);

  // As PostgreSQL writes a numeric: "12.50" is 12.5. Throws data_loss for anything else.
  static Amount parse(std::string_view text);

  const std::string& text() const { return text_; }
  double to_double() const;
  bool is_zero() const { return text_ == "0"; }
  bool is_negative() const { return text_.front() == '-'; }

  friend bool operator==(const Amount&, const Amount&) = default;

 private:
  explicit Amount(std::string text) : text_(std::move(text)) {}

  std::string text_ = "0";
};

}  // namespace mendel::registry
