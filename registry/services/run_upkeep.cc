#include "registry/services/run_upkeep.h"

#include <spdlog/spdlog.h>

#include <chrono>

#include "registry/services/pause.h"
#include "storage/base/error.h"

namespace mendel::registry {

namespace {

constexpr auto kPeriod = std::chrono::seconds(1);
constexpr std::size_t kRunsListedMax = 1000;

}  // namespace

void RunUpkeep::start() {
  thread_ = std::jthread([this](std::stop_token stop) { run(stop); });
}

void RunUpkeep::stop() { thread_ = std::jthread(); }

// What fails is tried again in the next round; a failure that stays is told once.
void RunUpkeep::run(std::stop_token stop) {
  while (!stop.stop_requested()) {
    try {
      look_after();
      if (away_) spdlog::info("runs are looked after again");
      away_ = false;
    } catch (const Error& error) {
      if (!away_) spdlog::warn("runs are not looked after: {}", error.what());
      away_ = true;
    }
    pause_unless_stopped(stop, kPeriod);
  }
}

void RunUpkeep::look_after() {
  runs_.mark_lost();
  fold_runs();
}

void RunUpkeep::fold_runs() {
  RunId after = 0;
  for (std::size_t count = kRunsListedMax; count == kRunsListedMax;) {
    const auto runs = folding_.list_unfolded(after, kRunsListedMax);
    for (const RunId run : runs) fold(run);
    count = runs.size();
    if (count > 0) after = runs.back();
  }
}

// One that is damaged does not keep the others from being folded.
void RunUpkeep::fold(RunId run) {
  try {
    folding_.fold(run);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::data_loss) throw;
    if (damaged_.insert(run).second)
      spdlog::error("metrics of run {}: {}", run, error.what());
  }
}

}  // namespace mendel::registry
