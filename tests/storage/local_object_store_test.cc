#include "storage/local_object_store.h"

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "storage/base/digest.h"
#include "storage/base/error.h"
#include "tests/storage/object_store_conformance.h"
#include "tests/testing/random_bytes.h"
#include "tests/testing/temporary_directory.h"

namespace mendel::storage {
namespace {

namespace fs = std::filesystem;
using testing::random_bytes;
using testing::TemporaryDirectory;

struct LocalMedium : ObjectStoreMedium {
  ObjectStore& store() override { return objects; }

  TemporaryDirectory directory;
  LocalObjectStore objects{directory.path(), 4};
};

INSTANTIATE_TEST_SUITE_P(Local, ObjectStoreConformance,
                         ::testing::Values([] { return std::make_unique<LocalMedium>(); }));

class LocalObjectStoreTest : public ::testing::Test {
 protected:
  void put(LocalObjectStore& store, std::string_view key, std::string_view content) {
    const auto writer = store.create();
    writer->append(as_bytes(content));
    writer->commit(key);
  }

  std::size_t files_in_tmp() const {
    const fs::directory_iterator files(directory / "tmp");
    return static_cast<std::size_t>(std::distance(begin(files), end(files)));
  }

  std::size_t open_file_count() const {
    const fs::directory_iterator files("/proc/self/fd");
    return static_cast<std::size_t>(std::distance(begin(files), end(files)));
  }

  TemporaryDirectory directory;
};

TEST_F(LocalObjectStoreTest, KeepsObjectsUnderTheirKeysForTheNextOne) {
  {
    LocalObjectStore store(directory.path(), 4);
    put(store, "packs/ab/abc", "weights");
  }
  EXPECT_TRUE(fs::is_regular_file(directory / "packs/ab/abc"));
  LocalObjectStore again(directory.path(), 4);
  EXPECT_EQ(again.find("packs/ab/abc"), (ObjectInfo{"packs/ab/abc", 7}));
}

TEST_F(LocalObjectStoreTest, MakesItsDirectory) {
  LocalObjectStore store(directory / "not/there/yet", 4);
  put(store, "key", "weights");
  EXPECT_TRUE(fs::is_regular_file(directory / "not/there/yet/key"));
}

TEST_F(LocalObjectStoreTest, LeavesNothingInTmp) {
  LocalObjectStore store(directory.path(), 4);
  put(store, "key", "weights");
  put(store, "key", "weights");
  store.create()->append(as_bytes("abandoned"));
  EXPECT_EQ(files_in_tmp(), 0u);
}

TEST_F(LocalObjectStoreTest, RemovesLeftoversAndNothingThatIsStillWritten) {
  LocalObjectStore first(directory.path(), 4);
  std::ofstream(directory / "tmp/half") << "half a pack";
  const auto writer = first.create();
  writer->append(as_bytes("weights"));
  ASSERT_EQ(files_in_tmp(), 2u);

  LocalObjectStore second(directory.path(), 4);
  EXPECT_FALSE(fs::exists(directory / "tmp/half"));
  EXPECT_EQ(files_in_tmp(), 1u);
  writer->commit("key");
  EXPECT_EQ(second.find("key"), (ObjectInfo{"key", 7}));
}

// A kill between the two names of an object: the one in tmp/ must not keep the bytes.
TEST_F(LocalObjectStoreTest, RemovesTheOtherNameOfAnObject) {
  {
    LocalObjectStore store(directory.path(), 4);
    put(store, "key", "weights");
    fs::create_hard_link(directory / "key", directory / "tmp/key");
  }
  LocalObjectStore store(directory.path(), 4);
  EXPECT_EQ(files_in_tmp(), 0u);
  EXPECT_EQ(store.find("key"), (ObjectInfo{"key", 7}));
}

TEST_F(LocalObjectStoreTest, HasNoObjectsInTmp) {
  LocalObjectStore store(directory.path(), 4);
  std::ofstream(directory / "tmp/half") << "half a pack";
  EXPECT_TRUE(store.list("", "", 10).empty());
  EXPECT_TRUE(store.list("tmp/", "", 10).empty());
  EXPECT_THROW(store.find("tmp/half"), Error);
  EXPECT_THROW(store.create()->commit("tmp/half"), Error);
}

TEST_F(LocalObjectStoreTest, KeepsAFewFilesOpenForReading) {
  LocalObjectStore store(directory.path(), 4);
  for (int i = 0; i < 20; ++i) put(store, std::to_string(i), "weights");
  const std::size_t before = open_file_count();
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 20; ++i) {
      std::byte buffer[7];
      EXPECT_EQ(store.read(std::to_string(i), 0, buffer), 7u);
    }
  }
  EXPECT_EQ(open_file_count(), before + 4);
}

TEST_F(LocalObjectStoreTest, ClosesAFileThatIsRemoved) {
  LocalObjectStore store(directory.path(), 4);
  put(store, "key", "weights");
  const std::size_t before = open_file_count();
  std::byte buffer[7];
  store.read("key", 0, buffer);
  EXPECT_EQ(open_file_count(), before + 1);
  store.remove("key");
  EXPECT_EQ(open_file_count(), before);
}

// Goal: a process that dies leaves no object that is not whole.
// Method: a child dies in the middle of an object, and another one just before commit().
TEST_F(LocalObjectStoreTest, ShowsNothingOfAWriterWhoseProcessDied) {
  const pid_t child = ::fork();
  if (child == 0) {
    LocalObjectStore store(directory.path(), 4);
    const auto writer = store.create();
    writer->append(random_bytes(3 << 20, 1));
    ::_exit(0);
  }
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  EXPECT_EQ(files_in_tmp(), 1u);
  LocalObjectStore store(directory.path(), 4);
  EXPECT_TRUE(store.list("", "", 10).empty());
}

class FullMedium : public LocalObjectStoreTest {
 protected:
  void SetUp() override {
    if (::mount("tmpfs", directory.path().c_str(), "tmpfs", 0, "size=4m") != 0) {
      GTEST_SKIP() << "mounting a small tmpfs takes the right to mount";
    }
    mounted_ = true;
  }
  void TearDown() override {
    if (mounted_) ::umount2(directory.path().c_str(), MNT_DETACH);
  }

 private:
  bool mounted_ = false;
};

TEST_F(FullMedium, IsOutOfSpaceAndTakesSmallerObjectsAfterwards) {
  LocalObjectStore store(directory.path(), 4);
  try {
    const auto writer = store.create();
    writer->append(random_bytes(6 << 20, 1));
    writer->commit("large");
    FAIL() << "6 MiB cannot fit";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::out_of_space) << error.what();
  }
  EXPECT_TRUE(store.list("", "", 10).empty());
  EXPECT_EQ(files_in_tmp(), 0u);
  put(store, "small", "weights");
  EXPECT_EQ(store.find("small")->size_bytes, 7u);
}

// A limit on file sizes makes write() write less than it was asked to, and then fail.
TEST_F(LocalObjectStoreTest, ShowsNothingOfAnObjectThatCouldNotBeWritten) {
  struct rlimit before {};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto previous_handler = std::signal(SIGXFSZ, SIG_IGN);
  const struct rlimit limit { 1'000'000, before.rlim_max };
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);

  LocalObjectStore store(directory.path(), 4);
  EXPECT_THROW(store.create()->append(random_bytes(3 << 20, 1)), Error);

  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, previous_handler);
  EXPECT_TRUE(store.list("", "", 10).empty());
  EXPECT_EQ(files_in_tmp(), 0u);
}

}  // namespace
}  // namespace mendel::storage
