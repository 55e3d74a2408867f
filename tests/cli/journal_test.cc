#include "cli/journal.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <map>

#include "cli/journal_push.h"
#include "storage/base/error.h"
#include "tests/cli/test_files.h"
#include "tests/testing/temporary_directory.h"

namespace mendel::cli {
namespace {

namespace fs = std::filesystem;

class JournalTest : public ::testing::Test {
 protected:
  Json record(const std::string& run, int number) const {
    return {{"type", "metrics"}, {"run", run}, {"number", number}};
  }

  void append(int number) { Journal(place).append(record("r", number)); }

  struct Contents {
    std::vector<Json> records;
    std::size_t damaged = 0;
    std::uint64_t end = 0;
  };
  Contents read() const {
    Contents contents;
    const fs::path path = places.records();
    const Fd file = open_file(path.native(), O_RDONLY, 0);
    JournalReader reader(reader_of(file, path), kJournalHeadSize);
    while (const auto item = reader.next()) {
      if (item->payload) {
        contents.records.push_back(Json::parse(*item->payload));
      } else {
        ++contents.damaged;
      }
    }
    contents.end = reader.offset();
    return contents;
  }

  std::vector<int> numbers() const {
    std::vector<int> numbers;
    for (const Json& record : read().records) numbers.push_back(record["number"]);
    return numbers;
  }

  testing::TemporaryDirectory directory;
  const fs::path place = directory / "journal";
  const JournalPlaces places{place};
};

TEST_F(JournalTest, KeepsRecordsInTheirOrder) {
  for (int i = 0; i < 5; ++i) append(i);
  EXPECT_EQ(numbers(), (std::vector{0, 1, 2, 3, 4}));
  EXPECT_EQ(read().end, fs::file_size(places.records()));
}

TEST_F(JournalTest, IsForItsOwnerAlone) {
  append(0);
  EXPECT_EQ(fs::status(place).permissions(), fs::perms::owner_all);
  EXPECT_EQ(fs::status(places.records()).permissions(),
            fs::perms::owner_read | fs::perms::owner_write);
}

// Goal: wherever a kill cuts a write, what was there before is read, and the next append
// comes right after it.
// Method: cut the last record, or the head, at every byte.
TEST_F(JournalTest, CutAtAnyByteLosesTheLastRecordAloneAndGoesOn) {
  append(0);
  append(1);
  const std::string before = read_file(places.records());
  append(2);
  const std::string after = read_file(places.records());
  for (std::size_t size = before.size(); size < after.size(); ++size) {
    SCOPED_TRACE("cut at " + std::to_string(size));
    write_file(places.records(), after.substr(0, size));
    ASSERT_EQ(numbers(), (std::vector{0, 1}));
    ASSERT_EQ(read().end, before.size());
    append(3);
    ASSERT_EQ(numbers(), (std::vector{0, 1, 3}));
    ASSERT_EQ(read().damaged, 0u);
  }
}

TEST_F(JournalTest, CutInItsHeadBeginsAnew) {
  append(0);
  const std::string whole = read_file(places.records());
  for (std::size_t size = 0; size < kJournalHeadSize; ++size) {
    write_file(places.records(), whole.substr(0, size));
    append(7);
    ASSERT_EQ(numbers(), std::vector{7}) << "cut at " << size;
  }
}

TEST_F(JournalTest, FollowedByZerosAsAfterAPowerFailureGoesOn) {
  append(0);
  std::string bytes = read_file(places.records());
  write_file(places.records(), bytes + std::string(5000, '\0'));
  append(1);
  EXPECT_EQ(numbers(), (std::vector{0, 1}));
}

// A flipped byte in the middle costs one record, and is noticed.
TEST_F(JournalTest, DamagedAtAnyByteLosesThatRecordAlone) {
  for (int i = 0; i < 3; ++i) append(i);
  const std::string whole = read_file(places.records());
  const std::size_t frame = (whole.size() - kJournalHeadSize) / 3;
  const std::size_t begin = kJournalHeadSize + frame;
  for (std::size_t at = begin; at < begin + frame; ++at) {
    std::string damaged = whole;
    damaged[at] = char(damaged[at] ^ 0x20);
    write_file(places.records(), damaged);
    ASSERT_EQ(numbers(), (std::vector{0, 2})) << "at " << at - begin;
    ASSERT_EQ(read().damaged, 1u);
  }
}

TEST_F(JournalTest, RefusesAFileThatIsNone) {
  write_file(places.records(), std::string(100, 'x'));
  EXPECT_THROW(append(0), Error);
  EXPECT_EQ(read_file(places.records()), std::string(100, 'x'));
}

TEST_F(JournalTest, RefusesWhatIsNoText) {
  try {
    Journal(place).append({{"type", "metrics"}, {"run", "\xff"}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
  }
}

TEST_F(JournalTest, TakesRecordsOfSeveralProcessesAtOnce) {
  constexpr int kProcesses = 4;
  constexpr int kRecords = 50;
  std::vector<::pid_t> writers;
  for (int writer = 0; writer < kProcesses; ++writer) {
    const ::pid_t pid = ::fork();
    if (pid == 0) {
      Journal journal(place);
      for (int i = 0; i < kRecords; ++i) journal.append(record(std::to_string(writer), i));
      ::_exit(0);
    }
    writers.push_back(pid);
  }
  for (const ::pid_t pid : writers) {
    int status = 1;
    ::waitpid(pid, &status, 0);
    EXPECT_EQ(status, 0);
  }
  std::map<std::string, int> next;
  for (const Json& record : read().records) {
    EXPECT_EQ(record["number"], next[record["run"]]++);
  }
  EXPECT_EQ(next.size(), std::size_t{kProcesses});
  for (const auto& [run, count] : next) EXPECT_EQ(count, kRecords) << run;
}

// Goal: what append() returned from is there after a kill at any time.
// Method: a child that appends and then says so is killed, again and again.
TEST_F(JournalTest, LosesNothingThatWasAppendedBeforeAKill) {
  int said_max = -1;
  for (int round = 0; round < 30; ++round) {
    int pipe_ends[2];
    ASSERT_EQ(::pipe(pipe_ends), 0);
    const ::pid_t pid = ::fork();
    if (pid == 0) {
      Journal journal(place);
      for (int i = said_max + 1;; ++i) {
        journal.append(record("r", i));
        if (::write(pipe_ends[1], &i, sizeof i) != sizeof i) ::_exit(1);
      }
    }
    ::close(pipe_ends[1]);
    int said = said_max;
    for (int i = 0; i <= round % 5; ++i) {
      if (::read(pipe_ends[0], &said, sizeof said) == sizeof said) said_max = said;
    }
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    while (::read(pipe_ends[0], &said, sizeof said) == sizeof said) said_max = said;
    ::close(pipe_ends[0]);
    const auto there = numbers();
    for (int i = 0; i <= said_max; ++i) {
      ASSERT_NE(std::ranges::find(there, i), there.end()) << "round " << round;
    }
  }
  EXPECT_GT(said_max, 50);
}

class JournalFiles : public JournalTest {
 protected:
  std::size_t blob_count() const {
    std::size_t count = 0;
    for (const auto& entry : fs::recursive_directory_iterator(places.blobs())) {
      if (entry.is_regular_file()) ++count;
    }
    return count;
  }

  Digest keep(const std::string& name) {
    PushContent content{storage::ArtifactKind::model,
                        scan_paths(std::vector<PushPath>{{directory / name, ""}}),
                        {}};
    Journal journal(place);
    return keep_content(journal, content);
  }
};

TEST_F(JournalFiles, AreKeptByTheirDigestWithTheirManifest) {
  write_file(directory / "out/a", "weights");
  write_file(directory / "out/b", "more");
  const Digest digest = keep("out");

  const auto manifest = storage::decode_manifest(read_file(places.blob(digest)));
  ASSERT_EQ(manifest.files.size(), 2u);
  EXPECT_EQ(manifest.files[0].digest, Digest::of("weights"));
  EXPECT_EQ(read_file(places.blob(Digest::of("weights"))), "weights");
  EXPECT_EQ(read_file(places.blob(Digest::of("more"))), "more");
}

TEST_F(JournalFiles, CostOnceWhatIsTheSame) {
  write_file(directory / "out/a", "weights");
  for (int i = 0; i < 3; ++i) keep("out");
  EXPECT_EQ(blob_count(), 2u);  // the file and its manifest
}

TEST_F(JournalFiles, StayAsTheyWereWhenTheTrainingOverwritesThem) {
  write_file(directory / "w", "first");
  keep("w");
  std::ofstream(directory / "w", std::ios::in | std::ios::out) << "SECOND";
  EXPECT_EQ(read_file(places.blob(Digest::of("first"))), "first");
}

}  // namespace
}  // namespace mendel::cli
