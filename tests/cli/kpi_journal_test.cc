#include "cli/kpi_journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "cli/kpi_lines.h"
#include "storage/base/error.h"
#include "tests/cli/test_files.h"
#include "tests/testing/temporary_directory.h"

namespace mendel::cli {
namespace {

using ::testing::ElementsAre;

// What a `send` finds in the file.
struct Found {
  std::string bytes;
  std::vector<std::uint64_t> lines;
  std::vector<std::uint64_t> too_long;
  std::uint64_t bytes_cut_short = 0;
};

Found read(const std::string& text) {
  std::istringstream stream(text);
  KpiLines lines(stream);
  Found found;
  while (const auto batch = lines.next()) {
    found.bytes += batch->bytes;
    found.lines.insert(found.lines.end(), batch->lines.begin(), batch->lines.end());
  }
  found.too_long = lines.too_long();
  found.bytes_cut_short = lines.bytes_cut_short();
  return found;
}

class KpiJournal : public ::testing::Test {
 protected:
  testing::TemporaryDirectory directory;
  const std::string path = directory / "kpi.ndjson";
};

TEST_F(KpiJournal, IsAPlainFileOfLines) {
  append_kpi_lines(path, kpi_line({{"event_id", "ä\n1"}}) + "\n");
  append_kpi_lines(path, kpi_line({{"event_id", "2"}}) + "\n");
  EXPECT_EQ(read_file(path), "{\"event_id\":\"ä\\n1\"}\n{\"event_id\":\"2\"}\n");
  EXPECT_EQ(std::filesystem::status(path).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST_F(KpiJournal, CutsOffWhatAKillLeft) {
  write_file(path, "{\"a\":1}\n{\"a\":2");
  append_kpi_lines(path, "{\"a\":3}\n");
  EXPECT_EQ(read_file(path), "{\"a\":1}\n{\"a\":3}\n");

  write_file(path, "{\"a\":");
  append_kpi_lines(path, "{\"a\":3}\n");
  EXPECT_EQ(read_file(path), "{\"a\":3}\n");
}

TEST_F(KpiJournal, KeepsALastLineThatAnEditorLeftWithoutItsEnd) {
  write_file(path, "{\"a\":1}\n{\"a\":2}");
  append_kpi_lines(path, "{\"a\":3}\n");
  EXPECT_EQ(read_file(path), "{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n");
}

TEST_F(KpiJournal, LeavesAnotherFileAlone) {
  const std::string other(3 * kKpiLineSizeMax, 'x');
  write_file(path, other);
  EXPECT_THROW(append_kpi_lines(path, "{}\n"), Error);
  EXPECT_EQ(read_file(path), other);
}

TEST_F(KpiJournal, RefusesWhatTheServerWould) {
  EXPECT_THROW(kpi_line({{"event_id", std::string(kKpiLineSizeMax, 'x')}}), Error);
  EXPECT_THROW(kpi_line({{"event_id", "\xff"}}), Error);
}

TEST_F(KpiJournal, TakesLinesFromManyAtOnce) {
  constexpr int kThreads = 8;
  constexpr int kEach = 25;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&, i] {
        for (int n = 0; n < kEach; ++n) {
          const Json event = {{"event_id", std::to_string(i * kEach + n)},
                              {"padding", std::string(std::size_t(97 * n), 'x')}};
          append_kpi_lines(path, kpi_line(event) + "\n");
        }
      });
    }
  }
  std::vector<bool> seen(kThreads * kEach);
  std::istringstream lines(read_file(path));
  for (std::string line; std::getline(lines, line);) {
    seen.at(std::stoul(Json::parse(line)["event_id"].get<std::string>())) = true;
  }
  EXPECT_EQ(std::ranges::count(seen, true), kThreads * kEach);
}

// Goal: what was acknowledged is there, whatever kills the writer, and what comes after it
// is readable. Method: a child tells of each append once it has returned, and is killed.
TEST_F(KpiJournal, LosesNothingThatWasAcknowledgedToAKill) {
  std::size_t acknowledged = 0;
  for (int round = 0; round < 5; ++round) {
    int told[2];
    ASSERT_EQ(::pipe(told), 0);
    const ::pid_t writer = ::fork();
    if (writer == 0) {
      const std::string line = "{\"padding\":\"" + std::string(40'000, 'x') + "\"}\n";
      for (;;) {
        append_kpi_lines(path, line);
        if (::write(told[1], "1", 1) != 1) ::_exit(1);
      }
    }
    ::close(told[1]);
    char byte = 0;
    for (int i = 0; i <= round && ::read(told[0], &byte, 1) == 1; ++i) ++acknowledged;
    ::kill(writer, SIGKILL);
    ::waitpid(writer, nullptr, 0);
    while (::read(told[0], &byte, 1) == 1) ++acknowledged;
    ::close(told[0]);
  }
  append_kpi_lines(path, "{\"last\":true}\n");
  const Found found = read(read_file(path));
  EXPECT_GE(found.lines.size(), acknowledged + 1);
  EXPECT_EQ(found.bytes_cut_short, 0);
  EXPECT_TRUE(found.bytes.ends_with("{\"last\":true}\n"));
}

TEST(KpiLines, KeepTheirNumbers) {
  const Found found = read("{\"a\":1}\n\n \t\r\n{\"a\":2}\r\n{\"a\":3}");
  EXPECT_EQ(found.bytes, "{\"a\":1}\n{\"a\":2}\r\n{\"a\":3}\n");
  EXPECT_THAT(found.lines, ElementsAre(1, 4, 5));
  EXPECT_EQ(found.bytes_cut_short, 0);
}

TEST(KpiLines, LeaveOutALastLineThatWasCutShort) {
  const Found found = read("{\"a\":1}\n{\"a\":");
  EXPECT_THAT(found.lines, ElementsAre(1));
  EXPECT_EQ(found.bytes_cut_short, 5);
}

TEST(KpiLines, PassOverWhatIsTooLong) {
  const std::string longest = "{\"a\":\"" + std::string(kKpiLineSizeMax - 8, 'x') + "\"}";
  ASSERT_EQ(longest.size(), kKpiLineSizeMax);
  const std::string huge(3'000'000, 'y');
  const Found found =
      read(longest + "\n" + longest + " \n{\"a\":3}\n" + huge + "\n{\"a\":5}\n" + huge);
  EXPECT_THAT(found.lines, ElementsAre(1, 3, 5));
  EXPECT_THAT(found.too_long, ElementsAre(2, 4, 6));
}

TEST(KpiLines, ComeInBatchesThatFitARequest) {
  std::string text;
  for (std::size_t i = 0; i < KpiLines::kBatchLinesMax + 10; ++i) text += "{}\n";
  const std::string line = "{\"a\":\"" + std::string(60'000, 'x') + "\"}\n";
  for (int i = 0; i < 200; ++i) text += line;
  std::istringstream stream(text);
  KpiLines lines(stream);
  std::size_t count = 0;
  std::size_t batches = 0;
  while (const auto batch = lines.next()) {
    EXPECT_LE(batch->bytes.size(), KpiLines::kBatchSizeMax);
    EXPECT_LE(batch->lines.size(), KpiLines::kBatchLinesMax);
    count += batch->lines.size();
    ++batches;
  }
  EXPECT_EQ(count, KpiLines::kBatchLinesMax + 210);
  EXPECT_EQ(batches, 4);
}

TEST(KpiLines, OfNothingAreNone) {
  EXPECT_THAT(read("").lines, ::testing::IsEmpty());
  EXPECT_THAT(read("\n\n").lines, ::testing::IsEmpty());
}

}  // namespace
}  // namespace mendel::cli
