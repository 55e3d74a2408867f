#include "cli/output.h"

#include <gtest/gtest.h>

#include "cli/progress.h"

namespace mendel::cli {
namespace {

TEST(Output, WritesSizesForPeople) {
  EXPECT_EQ(format_size(0), "0 B");
  EXPECT_EQ(format_size(1023), "1023 B");
  EXPECT_EQ(format_size(1024), "1.0 KiB");
  EXPECT_EQ(format_size(2'633'360), "2.5 MiB");
  EXPECT_EQ(format_size((1ull << 30) - 1), "1.0 GiB");
}

TEST(Output, LetsNoNameSpeakToTheTerminal) {
  EXPECT_EQ(printable("a\x1b[2Jb\n"), "a\\x1b[2Jb\\x0a");
  EXPECT_EQ(printable("µ"), "µ");
}

TEST(Progress, SaysHowMuchHowFastAndHowLong) {
  const std::string line =
      progress_line("pushing", 512 << 20, 1024 << 20, std::chrono::seconds(4));
  EXPECT_EQ(line,
            "pushing  [############............]  50 %  512.0 MiB of 1.0 GiB  128.0 MiB/s  "
            "0:04 left");
}

}  // namespace
}  // namespace mendel::cli
