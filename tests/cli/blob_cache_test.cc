#include "cli/blob_cache.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <thread>

#include "cli/local_file.h"
#include "storage/base/error.h"
#include "tests/cli/ordinary_user.h"
#include "tests/cli/test_files.h"
#include "tests/testing/temporary_directory.h"

namespace mendel::cli {
namespace {

namespace fs = std::filesystem;

class Cache : public ::testing::Test {
 protected:
  // Each is what another process would see.
  BlobCache open_cache(std::uint64_t size_bytes_max = 1000) {
    return BlobCache(CacheSettings{shared, size_bytes_max});
  }

  void add(BlobCache& cache, const std::string& content, bool executable = false) {
    PartialFile file =
        PartialFile::create(job / std::to_string(files_made++), executable ? 0777 : 0666);
    file.write(as_bytes(content));
    cache.add(Digest::of(content), file, executable);
  }

  // The content of the file that was taken; nullopt if the cache has it not.
  std::optional<std::string> take(BlobCache& cache, const std::string& content,
                                  bool executable = false) {
    const fs::path twin = job / std::to_string(files_made++);
    const auto taken = cache.take(Digest::of(content), twin, executable);
    if (!taken) return std::nullopt;
    EXPECT_EQ((fs::status(twin).permissions() & fs::perms::owner_exec) != fs::perms::none,
              executable);
    return read_file(twin);
  }

  fs::path own_directory() const {
    return shared / ("user-" + std::to_string(::geteuid()));
  }
  fs::path entry_of(const std::string& content) const {
    return own_directory() / "blobs" / Digest::of(content).hex();
  }

  void damage(const std::string& content, const std::string& other) {
    fs::permissions(entry_of(content), fs::perms(0600));
    write_file(entry_of(content), other);
    fs::permissions(entry_of(content), fs::perms(0444));
  }

  std::uint64_t size_of_entries() const {
    std::uint64_t sum = 0;
    for (const auto& item : fs::directory_iterator(own_directory() / "blobs")) {
      sum += item.file_size();
    }
    return sum;
  }

  testing::TemporaryDirectory directory;
  const OrdinaryUser user{directory.path()};
  const fs::path shared = directory / "cache";
  const fs::path job = directory / "job";
  int files_made = 0;
  const bool job_made = fs::create_directory(job);
};

TEST_F(Cache, GivesBackWhatAnotherProcessAdded) {
  auto first = open_cache();
  auto second = open_cache();
  EXPECT_EQ(take(second, "content"), std::nullopt);
  add(first, "content");
  EXPECT_TRUE(second.has(Digest::of("content")));
  EXPECT_EQ(take(second, "content"), "content");
}

TEST_F(Cache, TakesBytesPieceByPiece) {
  auto cache = open_cache();
  auto incoming = cache.begin(7);
  cache.write(incoming, as_bytes("con"));
  cache.write(incoming, as_bytes("tent"));
  EXPECT_FALSE(cache.has(Digest::of("content")));
  cache.add(Digest::of("content"), std::move(incoming));
  const auto blob = cache.open(Digest::of("content"));
  ASSERT_TRUE(blob);
  EXPECT_EQ(read_text(*blob, "blob"), "content");
}

TEST_F(Cache, HasNothingWithoutSettings) {
  BlobCache cache(std::nullopt);
  add(cache, "content");
  EXPECT_FALSE(cache.has(Digest::of("content")));
  EXPECT_EQ(cache.wait_to_fetch(Digest::of("version")), nullptr);
}

TEST_F(Cache, NoticesAChangedEntryAndForgetsIt) {
  auto cache = open_cache();
  for (const std::string other : {"c0ntent", "cont", ""}) {
    SCOPED_TRACE(other);
    add(cache, "content");
    damage("content", other);
    EXPECT_EQ(take(cache, "content"), std::nullopt);
    EXPECT_FALSE(cache.has(Digest::of("content")));
  }
  add(cache, "content");
  damage("content", "c0ntent");
  EXPECT_FALSE(cache.open(Digest::of("content")));
  add(cache, "content");
  EXPECT_EQ(take(cache, "content"), "content");
}

TEST_F(Cache, GivesTheSameBytesWithAndWithoutTheExecutableBit) {
  auto cache = open_cache();
  add(cache, "content", /*executable=*/true);
  EXPECT_EQ(take(cache, "content", /*executable=*/false), "content");
  EXPECT_EQ(take(cache, "content", /*executable=*/true), "content");
  EXPECT_EQ(take(cache, "content", /*executable=*/false), "content");
}

TEST_F(Cache, LetsNobodyWriteIntoAnEntryThroughAFileThatWasTaken) {
  auto cache = open_cache();
  add(cache, "content");
  const auto taken = cache.take(Digest::of("content"), job / "taken", false);
  ASSERT_TRUE(taken);
  std::ofstream(job / "taken") << "changed";
  EXPECT_EQ(read_file(entry_of("content")), "content");
}

TEST_F(Cache, LosesFirstWhatWasUsedTheLongestAgo) {
  const std::string a(100, 'a'), b(100, 'b'), c(100, 'c');
  for (const auto& content : {a, b, c}) {
    auto process = open_cache();
    add(process, content);
  }
  {
    auto process = open_cache();
    EXPECT_EQ(take(process, a), a);
  }
  auto process = open_cache(350);
  add(process, std::string(100, 'd'));
  EXPECT_TRUE(fs::exists(entry_of(a)));
  EXPECT_FALSE(fs::exists(entry_of(b)));
  EXPECT_LE(size_of_entries(), 350u);
}

TEST_F(Cache, NeverHoldsMoreThanItMay) {
  for (int i = 0; i < 50; ++i) {
    auto process = open_cache(350);
    add(process, std::string(std::size_t(60 + i), char('0' + i)));
    EXPECT_LE(size_of_entries(), 350u);
    EXPECT_GT(size_of_entries(), 0u);
  }
}

TEST_F(Cache, KeepsNothingThatIsLargerThanAllOfIt) {
  auto cache = open_cache(100);
  add(cache, "content");
  add(cache, std::string(101, 'x'));
  EXPECT_FALSE(cache.has(Digest::of(std::string(101, 'x'))));
  EXPECT_TRUE(cache.has(Digest::of("content")));
  EXPECT_FALSE(cache.begin(101));
}

TEST_F(Cache, DoesNotPushOutWhatTheSameProcessUsed) {
  auto cache = open_cache(100);
  add(cache, std::string(60, 'a'));
  add(cache, std::string(60, 'b'));
  EXPECT_TRUE(cache.has(Digest::of(std::string(60, 'a'))));
  EXPECT_FALSE(cache.has(Digest::of(std::string(60, 'b'))));
}

TEST_F(Cache, CountsAnewWhereTheSumIsLost) {
  {
    auto process = open_cache();
    add(process, std::string(100, 'a'));
  }
  for (const std::string lost : {"", "junk", "99999999999999999999\n"}) {
    SCOPED_TRACE(lost);
    write_file(own_directory() / "usage", lost);
    auto process = open_cache(150);
    add(process, std::string(100, 'b') + lost);
    EXPECT_TRUE(process.has(Digest::of(std::string(100, 'b') + lost)));
    EXPECT_LE(size_of_entries(), 150u);
  }
}

TEST_F(Cache, RemovesWhatAKilledProcessLeft) {
  open_cache();
  const fs::path orphan = own_directory() / "partial/left";
  const fs::path recent = own_directory() / "partial/recent";
  write_file(orphan, "half");
  write_file(recent, "half");
  fs::last_write_time(orphan, fs::file_time_type::clock::now() - std::chrono::hours(1));
  open_cache();
  EXPECT_FALSE(fs::exists(orphan));
  EXPECT_TRUE(fs::exists(recent));
}

TEST_F(Cache, DoesWithoutADirectoryThatIsNotOneOfItsUsersAlone) {
  open_cache();
  fs::permissions(own_directory(), fs::perms(0777));
  auto cache = open_cache();
  add(cache, "content");
  EXPECT_FALSE(cache.has(Digest::of("content")));
}

TEST_F(Cache, DoesWithoutADirectoryThatCannotBe) {
  write_file(shared, "a file");
  auto cache = open_cache();
  add(cache, "content");
  EXPECT_EQ(take(cache, "content"), std::nullopt);
}

TEST_F(Cache, DoesWithoutItselfOnceItFails) {
  auto cache = open_cache();
  fs::remove_all(own_directory() / "partial");
  add(cache, "content");
  EXPECT_FALSE(cache.has(Digest::of("content")));
}

// Goal: what many want at the same time is fetched once, and all of them get it.
TEST_F(Cache, HasOneOfManyFetch) {
  constexpr int kProcesses = 16;
  const Digest wanted = Digest::of("content");
  std::atomic<int> fetches = 0, taken = 0;
  {
    std::vector<std::jthread> processes;
    for (int i = 0; i < kProcesses; ++i) {
      processes.emplace_back([&] {
        auto cache = open_cache();
        const auto take = [&]() -> std::vector<Digest> {
          if (!cache.open(wanted)) return {wanted};
          ++taken;
          return {};
        };
        const auto fetch = [&](FileLock*) {
          ++fetches;
          auto incoming = cache.begin(7);
          cache.write(incoming, as_bytes("content"));
          cache.add(wanted, std::move(incoming));
        };
        fetch_once(cache, Digest::of("version"), take, fetch);
      });
    }
  }
  EXPECT_EQ(fetches, 1);
  EXPECT_EQ(taken, kProcesses - 1);
}

TEST_F(Cache, LetsTheNextOneFetchWhereOneFailed) {
  auto cache = open_cache();
  const auto take = [] { return std::vector{Digest::of("content")}; };
  const auto fail = [](FileLock*) { throw Error(ErrorCode::unavailable, "broken"); };
  EXPECT_THROW(fetch_once(cache, Digest::of("version"), take, fail), Error);
  bool fetched = false;
  fetch_once(cache, Digest::of("version"), take, [&](FileLock*) { fetched = true; });
  EXPECT_TRUE(fetched);
}

}  // namespace
}  // namespace mendel::cli
