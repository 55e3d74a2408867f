#include "registry/services/pack_gatherer.h"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>

#include "storage/base/error.h"
#include "storage/memory_object_store.h"
#include "tests/testing/content_fixture.h"
#include "tests/testing/random_bytes.h"
#include "tests/testing/wait.h"

namespace mendel::registry {
namespace {

using testing::Bytes;
using testing::ContentServer;
using testing::eventually;
using testing::random_bytes;

// A store that lets no pack begin until it is told to, and counts those that want to.
class GatedObjectStore : public storage::MemoryObjectStore {
 public:
  std::unique_ptr<storage::ObjectWriter> create() override {
    std::unique_lock lock(mutex_);
    ++begun_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return begun_ <= allowed_; });
    if (begun_ == failing_) throw Error(ErrorCode::out_of_space, "the disk is full");
    return MemoryObjectStore::create();
  }

  void allow(int packs) {
    const std::lock_guard lock(mutex_);
    allowed_ = packs;
    changed_.notify_all();
  }
  void fail(int pack) {
    const std::lock_guard lock(mutex_);
    failing_ = pack;
  }
  bool has_begun(int packs) {
    const std::lock_guard lock(mutex_);
    return begun_ >= packs;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int begun_ = 0;
  int allowed_ = 0;
  int failing_ = 0;
};

Bytes small_blob(int i) { return random_bytes(2000, 1000 + i); }

struct Gatherer : ::testing::Test {
  std::future<void> put(int i) {
    return std::async(std::launch::async, [this, i] {
      ++arriving;
      server.put(ns, small_blob(i));
    });
  }
  std::size_t count_objects() { return objects.list("", "", 1000).size(); }

  GatedObjectStore objects;
  ContentServer server{objects};
  NamespaceId ns = server.make_namespace("lhcb");
  std::atomic<int> arriving = 0;
};

TEST_F(Gatherer, PutsWhatArrivesAtOnceIntoFewPacks) {
  constexpr int kStores = 200;
  std::vector<std::future<void>> stores;
  stores.push_back(put(0));
  ASSERT_TRUE(eventually([&] { return objects.has_begun(1); }));
  for (int i = 1; i < kStores; ++i) stores.push_back(put(i));
  ASSERT_TRUE(eventually([&] { return arriving == kStores; }));
  objects.allow(1000);
  for (auto& store : stores) store.get();

  EXPECT_LT(count_objects(), kStores / 4);
  for (int i = 0; i < kStores; ++i) {
    EXPECT_EQ(server.read(ns, Digest::of(small_blob(i))), small_blob(i));
  }
}

TEST_F(Gatherer, LetsALoneCallerWaitForNobody) {
  objects.allow(1000);
  put(1).get();
  put(2).get();
  EXPECT_EQ(count_objects(), 2);
}

TEST_F(Gatherer, TellsAFailureToThoseWhoseRecordsWereInThatPack) {
  objects.fail(2);
  auto first = put(0);
  ASSERT_TRUE(eventually([&] { return objects.has_begun(1); }));
  std::vector<std::future<void>> second;
  for (int i = 1; i < 4; ++i) second.push_back(put(i));
  ASSERT_TRUE(eventually([&] { return arriving == 4; }));
  objects.allow(1000);

  EXPECT_NO_THROW(first.get());
  int failed = 0;
  for (int i = 1; i < 4; ++i) {
    const Digest digest = Digest::of(small_blob(i));
    try {
      second[i - 1].get();
      EXPECT_TRUE(server.blobs.find(ns, digest));
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::out_of_space);
      EXPECT_FALSE(server.blobs.find(ns, digest));
      ++failed;
    }
  }
  EXPECT_GE(failed, 1);

  server.put(ns, small_blob(9));
  EXPECT_TRUE(server.blobs.find(ns, Digest::of(small_blob(9))));
}

TEST_F(Gatherer, StoresWhatTwoSendAtOnceOnce) {
  auto first = put(0);
  ASSERT_TRUE(eventually([&] { return objects.has_begun(1); }));
  std::vector<std::future<void>> same;
  for (int i = 0; i < 5; ++i) same.push_back(put(7));
  objects.allow(1000);
  first.get();
  for (auto& store : same) store.get();
  EXPECT_EQ(server.read(ns, Digest::of(small_blob(7))), small_blob(7));
}

}  // namespace
}  // namespace mendel::registry
