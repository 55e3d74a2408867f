#pragma once

#include "registry/services/egress/outside.h"

namespace mendel::testing {

// Nothing outside may be reached; secrets are kept with a key that only this test has.
inline registry::Outside outside_of_tests() {
  return {.rules = {},
          .git_cache = {},
          .keys = registry::KeyRing::parse(registry::KeyRing::make_key()),
          .poll_period = std::chrono::seconds(60)};
}

}  // namespace mendel::testing
