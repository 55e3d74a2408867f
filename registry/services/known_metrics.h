#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "registry/services/caller.h"
#include "registry/services/stored_metrics.h"

namespace mendel::registry {

// What is remembered of a run whose metrics are coming in, so that most points are known to
// be new, or to be there, without a look at the database. Right as of block_count: whoever
// adds a block states it, and is refused once another server has added one.
struct KnownMetrics {
  enum class Verdict : std::uint8_t { is_new, is_there, unknown };

  // Of one metric the points of the highest steps: all that lie above forgotten_step.
  class Metric {
   public:
    std::int32_t name_id = 0;

    Verdict judge(const MetricPoint& point) const;
    void remember(const MetricPoint& point);

    // Everything up to this step, which may hold anything.
    void forget_up_to(std::int64_t step);

   private:
    static constexpr std::size_t kRecentMax = 8;

    std::int64_t forgotten_step_ = std::numeric_limits<std::int64_t>::min();
    std::vector<MetricPoint> recent_;  // by step
  };
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };

  RunId run = 0;
  NamespaceId ns = 0;
  std::int64_t block_count = 0;
  bool closed = false;
  bool stale = false;  // wrong, or in the middle of a change
  std::unordered_map<std::string, Metric, TextHash, std::equal_to<>> metrics;

  std::size_t memory_bytes() const;
};

// In a Database::read.
KnownMetrics load_known_metrics(schema::Transaction& tx, RunId run);

}  // namespace mendel::registry
