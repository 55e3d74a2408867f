#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "registry/services/stored_metrics.h"
#include "schema/database.h"
#include "storage/base/clock.h"

namespace mendel::registry {

// Metrics as one request brings them.
struct MetricBatch {
  struct Entry {
    std::uint32_t name = 0;  // of names
    std::int64_t step = 0;   // 0 to kMetricStepMax
    double value = 0;
    std::optional<Timestamp> time;
  };
  std::vector<std::string> names;  // distinct
  std::vector<Entry> entries;
};

// Takes the metrics of runs, each point once: what is there already (the same run, name,
// step, value and, if it was given, time) is counted and not kept again. What several
// threads bring at once shares a transaction. Callers have been authorised. Any thread.
class MetricIntake {
 public:
  MetricIntake(schema::Database& database, const Clock& clock);
  ~MetricIntake();

  struct Taken {
    std::uint64_t accepted = 0;
    std::uint64_t duplicates = 0;
  };
  // All of it or nothing, durably. Throws already_exists for a run that has ended, unless
  // all of it is there, and unprocessable for more than kNamesMax names.
  Taken take(RunId run, const MetricBatch& batch);

  static constexpr std::size_t kNamesMax = 10'000;  // of a run

 private:
  struct Pending;
  struct RunWork;
  struct State;

  void work(std::span<Pending* const> group);
  void work_together(std::span<Pending* const> group);
  std::vector<Pending*> work_once(const std::vector<Pending*>& group);
  void prepare(RunWork& work);
  void sort_out(RunWork& work, Pending& pending, Timestamp now);
  void settle_undecided(RunWork& work);
  void answer_for_closed(RunWork& work);
  std::shared_ptr<struct KnownMetrics> known(RunId run);

  std::unique_ptr<State> state_;
};

}  // namespace mendel::registry
