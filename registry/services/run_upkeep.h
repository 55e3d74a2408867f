#pragma once

#include <set>
#include <thread>

#include "registry/services/metric_folding.h"
#include "registry/services/runs.h"

namespace mendel::registry {

// A thread that looks after runs about once a second: those that have stopped their
// heartbeat become lost, and metrics that came in are folded. Several servers may do so at
// once. Started and stopped by its owner.
class RunUpkeep {
 public:
  RunUpkeep(RunService& runs, MetricFolding& folding) : runs_(runs), folding_(folding) {}

  void start();
  void stop();

 private:
  void run(std::stop_token stop);
  void look_after();
  void fold_runs();
  void fold(RunId run);

  RunService& runs_;
  MetricFolding& folding_;

  // The thread's own.
  bool away_ = false;        // PostgreSQL was not to be had
  std::set<RunId> damaged_;  // told of once

  std::jthread thread_;
};

}  // namespace mendel::registry
