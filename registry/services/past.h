#pragma once

#include <chrono>
#include <string>

#include "storage/base/clock.h"
#include "storage/base/error.h"

namespace mendel::registry {

// What has happened lies in the past, give or take how far clocks of other machines go
// wrong. Throws unprocessable.
inline void require_past(Timestamp time, Timestamp now, const std::string& pointer) {
  constexpr auto kClocksDiffer = std::chrono::minutes(5);
  if (time <= now + kClocksDiffer) return;
  throw Error(ErrorCode::unprocessable, pointer + " is a time to come",
              {{pointer, "is a time to come"}});
}

}  // namespace mendel::registry
