#include <gtest/gtest.h>

#include "cli/gpu_meter.h"
#include "cli/rapl_meter.h"
#include "tests/cli/test_files.h"
#include "tests/testing/temporary_directory.h"

namespace mendel::cli {
namespace {

TEST(GpuUse, IsHowBusyEachWasForHowLong) {
  GpuUse use;
  use.add_sample("0, GPU-aa, 50, 100.00", 10, std::nullopt);
  use.add_sample("1, GPU-bb, 100, 200.00", 10, std::nullopt);
  use.add_sample("0, GPU-aa, 0, 20.00", 15, std::nullopt);
  EXPECT_DOUBLE_EQ(use.gpu_seconds().value(), 0.5 * 10 + 10);
  EXPECT_DOUBLE_EQ(use.energy_joules().value(), 100 * 10 + 200 * 10 + 20 * 5);
}

TEST(GpuUse, LeavesOutTheGpusOfOthers) {
  for (const auto* visible : {"1", "GPU-bb", "3,1", "GPU-b"}) {
    GpuUse use;
    use.add_sample("0, GPU-aa, 100, 100", 10, visible);
    use.add_sample("1, GPU-bb, 100, 100", 4, visible);
    EXPECT_DOUBLE_EQ(use.gpu_seconds().value(), 4) << visible;
  }
}

TEST(GpuUse, IsAbsentWhereThereIsNone) {
  GpuUse use;
  for (const auto* line :
       {"", "No devices were found", "0, GPU-aa, [N/A], 100", "0, GPU-aa, 250, 100"}) {
    use.add_sample(line, 10, std::nullopt);
  }
  use.add_sample("0, GPU-aa, 100, 100", 10, "");
  EXPECT_FALSE(use.gpu_seconds());
  EXPECT_FALSE(use.energy_joules());
}

TEST(GpuUse, KnowsNoEnergyWhereTheGpuDoesNotTell) {
  GpuUse use;
  use.add_sample("0, GPU-aa, 100, [N/A]", 10, std::nullopt);
  EXPECT_DOUBLE_EQ(use.gpu_seconds().value(), 10);
  EXPECT_FALSE(use.energy_joules());
}

class Rapl : public ::testing::Test {
 protected:
  void set(const std::string& domain, std::uint64_t microjoules) {
    write_file(directory / (domain + "/energy_uj"), std::to_string(microjoules) + "\n");
    write_file(directory / (domain + "/max_energy_range_uj"), "1000000000\n");
  }

  testing::TemporaryDirectory directory;
};

TEST_F(Rapl, AddsThePackagesUpAndNotTheirParts) {
  set("intel-rapl:0", 1'000'000);
  set("intel-rapl:1", 0);
  set("intel-rapl:0:0", 0);
  RaplMeter meter(directory / "");
  set("intel-rapl:0", 4'000'000);
  set("intel-rapl:1", 2'000'000);
  set("intel-rapl:0:0", 50'000'000);
  meter.sample();
  EXPECT_DOUBLE_EQ(meter.joules().value(), 5);
}

TEST_F(Rapl, CountsOnWhenACounterRunsOver) {
  set("intel-rapl:0", 999'000'000);
  RaplMeter meter(directory / "");
  set("intel-rapl:0", 2'000'000);
  meter.sample();
  EXPECT_DOUBLE_EQ(meter.joules().value(), 3);
}

TEST_F(Rapl, IsAbsentWhereNothingMayBeRead) {
  RaplMeter meter(directory / "none");
  meter.sample();
  EXPECT_FALSE(meter.joules());
}

}  // namespace
}  // namespace mendel::cli
