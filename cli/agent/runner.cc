#include "cli/agent/runner.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "cli/agent/htcondor_runner.h"
#include "cli/agent/shell_runner.h"
#include "cli/agent/slurm_runner.h"

namespace mendel::cli {

namespace {

constexpr std::array<std::string_view, 5> kOfTheAgent = {
    "MENDEL_TOKEN=", "MENDEL_URL=", "MENDEL_RUN=", "MENDEL_JOURNAL=", "MENDEL_JOB="};

}  // namespace

std::unique_ptr<Runner> make_runner(const RunnerOptions& options) {
  if (options.name == "slurm") {
    return std::make_unique<SlurmRunner>(options.slurm_options, options.pause);
  }
  if (options.name == "htcondor") {
    return std::make_unique<HtcondorRunner>(options.condor_options, options.pause);
  }
  return std::make_unique<ShellRunner>("/proc/self/exe");
}

std::vector<std::string> site_environment() {
  std::vector<std::string> environment = environment_with({});
  std::erase_if(environment, [](const std::string& variable) {
    return std::ranges::any_of(
        kOfTheAgent, [&](std::string_view name) { return variable.starts_with(name); });
  });
  return environment;
}

}  // namespace mendel::cli
