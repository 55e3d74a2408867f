#include "cli/resource_meter.h"

#include <unistd.h>

#include <array>
#include <cstdlib>
#include <string>

namespace mendel::cli {

namespace {

using Json = nlohmann::json;

constexpr std::chrono::minutes kSampleInterval{2};  // RAPL runs over in tens of them
constexpr double kJoulesPerKwh = 3.6e6;

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

// Ours first, then what DIRAC and GlideinWMS tell their jobs.
std::string site_name() {
  for (const char* variable : {"MENDEL_SITE", "DIRACSITE", "GLIDEIN_Site"}) {
    const char* value = std::getenv(variable);
    if (value && *value) return value;
  }
  return {};
}

}  // namespace

ResourceMeter::ResourceMeter()
    : processors_("/sys/class/powercap"),
      sampler_([this](std::stop_token stop) { sample_until_stopped(stop); }) {}

ResourceMeter::~ResourceMeter() {
  sampler_.request_stop();
  sampler_.join();
}

void ResourceMeter::sample_until_stopped(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  while (
      !wake_.wait_for(lock, stop, kSampleInterval, [&] { return stop.stop_requested(); })) {
    processors_.sample();
  }
}

Json ResourceMeter::resources(const CommandEnd& end) {
  Json resources = {{"wall_seconds", end.wall_seconds},
                    {"cpu_seconds", end.cpu_seconds},
                    {"peak_memory_bytes", end.peak_memory_bytes}};
  const GpuUse gpus = gpus_.use();
  if (const auto seconds = gpus.gpu_seconds()) resources["gpu_seconds"] = *seconds;

  const std::lock_guard lock(mutex_);
  processors_.sample();
  const auto processors = processors_.joules();
  if (processors || gpus.energy_joules()) {
    const double joules = processors.value_or(0) + gpus.energy_joules().value_or(0);
    resources["energy_kwh"] = joules / kJoulesPerKwh;
  }
  if (const auto host = host_name(); !host.empty()) resources["host"] = host;
  if (const auto site = site_name(); !site.empty()) resources["site"] = site;
  return resources;
}

}  // namespace mendel::cli
