#pragma once

#include <sys/types.h>

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "storage/base/fd.h"

namespace mendel::cli {

// What GPUs have done since the first moment, from samples of how busy each was.
class GpuUse {
 public:
  // A line of nvidia-smi: "0, GPU-8932f937-…, 97, 251.30", which says for how many percent
  // of the time the GPU was busy, and the watts it took. Others are passed over, and so are
  // the GPUs that visible, the value of CUDA_VISIBLE_DEVICES, leaves out; nullopt: all
  // count.
  void add_sample(std::string_view line, double seconds_since_begin,
                  const std::optional<std::string>& visible);

  // Of the last sample's GPU, busy for all of the time, per second one.
  std::optional<double> gpu_seconds() const;
  std::optional<double> energy_joules() const;

 private:
  struct Gpu {
    double last_sample_seconds = 0;
    double busy_seconds = 0;
    std::optional<double> energy_joules;
  };
  std::map<std::string, Gpu, std::less<>> gpus_;  // by their UUID
};

// Lets nvidia-smi, where there is one, look at the GPUs every few seconds.
class GpuMeter {
 public:
  GpuMeter();
  ~GpuMeter();

  // What there was to be seen so far.
  GpuUse use() const;

 private:
  void read_samples();

  const std::chrono::steady_clock::time_point begin_;
  ::pid_t pid_ = -1;
  Fd output_;
  mutable std::mutex mutex_;
  GpuUse use_;
  std::jthread reader_;
};

}  // namespace mendel::cli
