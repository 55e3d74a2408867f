#pragma once

#include <condition_variable>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "cli/gpu_meter.h"
#include "cli/rapl_meter.h"
#include "cli/supervised_command.h"

namespace mendel::cli {

// What a run takes beside what the kernel counts for its processes: GPUs and energy, as far
// as this machine can tell.
class ResourceMeter {
 public:
  ResourceMeter();
  ~ResourceMeter();

  // The resources of the run whose command has ended: what could not be measured is absent.
  nlohmann::json resources(const CommandEnd& end);

 private:
  void sample_until_stopped(std::stop_token stop);

  GpuMeter gpus_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  RaplMeter processors_;
  std::jthread sampler_;
};

}  // namespace mendel::cli
