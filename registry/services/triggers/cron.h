#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "storage/base/clock.h"

namespace mendel::registry {

// When: five fields as cron has them (minute, hour, day of the month, month, day of the
// week), in a time zone of the IANA database.
//
//   field: * | number | name | from-to, each also with /step; several separated by commas
//   names: jan … dec, sun … sat; 0 and 7 are both Sunday
//
// Where both days are restricted, one of them is enough; a field that begins with * does
// not restrict. Around a change of the clocks:
//
// - A time that the clock leaves out (02:30 in spring) is due at the moment of the change.
// - A time that it shows twice (02:30 in autumn) is due the first time only.
// - Where every hour is asked for, it is the elapsed time that counts: nothing is made up
//   for in the hour that is left out, and in the hour that comes twice it is due in both.
//
// Immutable; any thread.
class Schedule {
 public:
  // Throws invalid_argument with the field that is wrong and why, for a zone that is not
  // known, and for a date that never comes (30 February).
  static Schedule parse(std::string_view expression, std::string_view zone);

  // The first moment later than after that it is due at.
  Timestamp next(Timestamp after) const;

  const std::string& expression() const { return expression_; }
  const std::string& zone() const { return zone_; }

 private:
  struct Fields {
    std::uint64_t minutes = 0;  // bit i: i is meant
    std::uint64_t hours = 0;
    std::uint64_t days = 0;
    std::uint64_t months = 0;
    std::uint64_t weekdays = 0;
    bool any_day = false;
    bool any_weekday = false;
  };

  Schedule(std::string expression, std::string zone, Fields fields);

  std::optional<Timestamp> find_next(Timestamp after) const;

  std::string expression_;
  std::string zone_;
  Fields fields_;
};

}  // namespace mendel::registry
