#include "cli/rapl_meter.h"

#include <fstream>
#include <string>

namespace mendel::cli {

namespace {

namespace fs = std::filesystem;

std::optional<std::uint64_t> find_count(const fs::path& file) {
  std::ifstream stream(file);
  std::uint64_t count = 0;
  return stream >> count ? std::optional(count) : std::nullopt;
}

// "intel-rapl:0" is a package; "intel-rapl:0:1" is a part of it, and counted with it.
bool is_package(const std::string& name) {
  return name.starts_with("intel-rapl:") && name.find(':') == name.rfind(':');
}

}  // namespace

RaplMeter::RaplMeter(const fs::path& powercap) {
  std::error_code status;
  for (const auto& entry : fs::directory_iterator(powercap, status)) {
    if (!is_package(entry.path().filename())) continue;
    const auto count = find_count(entry.path() / "energy_uj");
    const auto range = find_count(entry.path() / "max_energy_range_uj");
    if (count && range) counters_.push_back({entry.path() / "energy_uj", *range, *count});
  }
}

void RaplMeter::sample() {
  for (Counter& counter : counters_) {
    const auto count = find_count(counter.file);
    if (!count) continue;
    const bool ran_over = *count < counter.last_microjoules;
    const std::uint64_t taken =
        ran_over ? *count + counter.range_microjoules - counter.last_microjoules
                 : *count - counter.last_microjoules;
    counter.last_microjoules = *count;
    joules_ += double(taken) * 1e-6;
  }
}

std::optional<double> RaplMeter::joules() const {
  return counters_.empty() ? std::nullopt : std::optional(joules_);
}

}  // namespace mendel::cli
