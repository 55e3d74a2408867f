#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

namespace mendel::cli {

// The energy that the processors of this machine take, as their own counters say (RAPL, in
// /sys/class/powercap): of the whole machine, whoever uses it. The counters run over within
// the hour, so sample() is to be called every few minutes. For one thread at a time.
class RaplMeter {
 public:
  explicit RaplMeter(const std::filesystem::path& powercap);

  void sample();

  // Since this was made, as of the last sample; nullopt where no counter may be read.
  std::optional<double> joules() const;

 private:
  struct Counter {
    std::filesystem::path file;
    std::uint64_t range_microjoules;
    std::uint64_t last_microjoules;
  };
  std::vector<Counter> counters_;
  double joules_ = 0;
};

}  // namespace mendel::cli
