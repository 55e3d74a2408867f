#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace mendel {

// A moment in UTC, to the microsecond, as PostgreSQL keeps it.
using Timestamp = std::chrono::sys_time<std::chrono::microseconds>;

// What time it is. Tests hand in a clock that they set.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Timestamp now() const = 0;
};

class SystemClock : public Clock {
 public:
  Timestamp now() const override;
};

// RFC 3339 in UTC, with a fraction only where there is one: 2024-02-13T00:00:00Z.
std::string format_rfc3339(Timestamp time);

// RFC 3339 with any offset; a bare date means the end of that UTC day. Throws
// invalid_argument.
Timestamp parse_rfc3339(std::string_view text);

}  // namespace mendel
