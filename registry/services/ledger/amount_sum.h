#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "registry/services/ledger/amount.h"

namespace mendel::registry {

// Adds amounts up, exactly: 27 digits behind the point and 45 before it. A value: copy it.
class AmountSum {
 public:
  // Throw data_loss for an amount that does not fit.
  void add(const Amount& amount) { add_signed(amount, 1); }
  void subtract(const Amount& amount) { add_signed(amount, -1); }

  Amount total() const;

 private:
  static constexpr std::size_t kLimbDigits = 9;
  static constexpr std::size_t kFractionLimbs = 3;
  static constexpr std::size_t kLimbs = 8;

  void add_signed(const Amount& amount, std::int64_t sign);

  // Of 10^9, the smallest first; not carried over before the total is asked for, which is
  // good for as many amounts as fit into memory.
  std::array<std::int64_t, kLimbs> limbs_{};
};

}  // namespace mendel::registry
