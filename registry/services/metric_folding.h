#pragma once

#include <cstddef>
#include <vector>

#include "registry/services/stored_metrics.h"
#include "schema/database.h"

namespace mendel::registry {

// Sums up the metrics of runs for those who search, and moves their points from blocks, as
// they came, into segments of one metric each. Several servers may do so at once: each run
// is worked on by one of them. Any thread.
class MetricFolding {
 public:
  explicit MetricFolding(schema::Database& database) : database_(database) {}

  // Those that have something to fold, with ids above after.
  std::vector<RunId> list_unfolded(RunId after, std::size_t limit);

  // Does nothing where another server is at it.
  void fold(RunId run);

  // A run whose metrics are closed: folds all, and moves all into segments.
  void settle(RunId run);

 private:
  enum class Lock { try_it, wait };
  bool fold_some(RunId run, Lock lock);

  schema::Database& database_;
};

}  // namespace mendel::registry
