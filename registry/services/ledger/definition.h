#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "registry/services/caller.h"
#include "storage/base/clock.h"

namespace mendel::registry {

// What a KPI counts, which is all that its sums depend on.
struct Counting {
  std::int64_t id = 0;
  std::int64_t kpi_id = 0;
  std::vector<NamespaceId> namespaces;  // empty: all of them
  std::map<std::string, std::vector<std::string>>
      filter;                     // subject key: one of these values
  std::vector<std::string> keys;  // that sums are kept by; the one of "distinct" among them

  // Canonical JSON of all but the ids: countings with the same rule share their sums.
  std::string rule() const;
  static Counting parse(std::int64_t id, std::int64_t kpi_id, const std::string& rule);
};

// One revision of a KPI's definition. What is told of it is fixed when it is made: a later
// one changes nothing of reports as known before.
struct KpiDefinition {
  enum class Count : std::uint8_t { sum, distinct, entries };
  enum class Direction : std::uint8_t { at_least, at_most };

  std::string id;  // KPI2.2.1.1, as it was spelled first
  std::int32_t revision = 0;
  std::string title;
  std::string description;
  std::string symbol;        // N_MC; may be empty
  std::string unit;          // "events"; may be empty
  std::string display_unit;  // "billion events"; the same as unit where none is given
  double display_scale = 1;  // how many units are one display unit
  Count count = Count::sum;
  std::string distinct_key;  // with Count::distinct: "experiment"
  double threshold = 0;      // in units
  Direction direction = Direction::at_least;
  bool allows_negative = false;                   // values below zero
  std::optional<std::chrono::sys_days> since;     // what happened before does not count
  std::optional<std::chrono::sys_days> deadline;  // its last day
  std::vector<std::string> namespaces;            // as they are spelled; empty: all
  Counting counting;
  std::string document;  // canonical JSON, as it was put
  Timestamp defined_at;
  std::string defined_by;

  // What a document says; its id, revision and namespaces' ids are not in it. It was
  // validated when it was put.
  static KpiDefinition parse(const std::string& document);
};

// [A-Za-z][A-Za-z0-9_.-]{0,63}, and none of the words that reports are broken down by:
// "model", "month".
bool is_subject_key(std::string_view text);

}  // namespace mendel::registry
