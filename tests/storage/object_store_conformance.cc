#include "tests/storage/object_store_conformance.h"

#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "storage/base/digest.h"
#include "storage/base/error.h"
#include "tests/testing/random_bytes.h"

namespace mendel::storage {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

void ObjectStoreConformance::put(std::string_view key, std::string_view content) {
  const auto writer = store.create();
  writer->append(as_bytes(content));
  writer->commit(key);
}

std::string ObjectStoreConformance::get(std::string_view key) {
  const auto info = store.find(key);
  if (!info) return "(absent)";
  std::string content(info->size_bytes + 1, '?');
  content.resize(store.read(key, 0, std::as_writable_bytes(std::span(content))));
  return content;
}

std::vector<std::string> ObjectStoreConformance::keys(std::string_view prefix,
                                                      std::string_view start_after,
                                                      std::size_t limit) {
  std::vector<std::string> keys;
  for (const ObjectInfo& object : store.list(prefix, start_after, limit)) {
    keys.push_back(object.key);
  }
  return keys;
}

namespace {

template <typename Call>
void expect_error(ErrorCode code, Call call) {
  try {
    call();
    ADD_FAILURE() << "no error, but should be " << wire_name(code);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
  }
}

TEST_P(ObjectStoreConformance, GivesBackWhatWasPut) {
  put("packs/ab/abc", "weights");
  EXPECT_EQ(get("packs/ab/abc"), "weights");
  EXPECT_EQ(store.find("packs/ab/abc"), (ObjectInfo{"packs/ab/abc", 7}));
}

TEST_P(ObjectStoreConformance, KeepsAnEmptyObject) {
  store.create()->commit("empty");
  EXPECT_EQ(get("empty"), "");
}

TEST_P(ObjectStoreConformance, JoinsWhatIsAppendedInPiecesOfAnySize) {
  const auto content = testing::random_bytes(20 << 20, 1);
  testing::SeededRandom random(2);
  const auto writer = store.create();
  for (std::span<const std::byte> rest(content); !rest.empty();) {
    const std::size_t size_max = random.below(3) == 0 ? 2 << 20 : 50'000;
    const auto piece = rest.first(std::min(random.below(size_max), rest.size()));
    writer->append(piece);
    rest = rest.subspan(piece.size());
  }
  writer->commit("large");
  EXPECT_EQ(get("large"), as_text(content));
}

TEST_P(ObjectStoreConformance, ShowsNothingBeforeCommit) {
  const auto writer = store.create();
  writer->append(as_bytes("weig"));
  EXPECT_THAT(store.list("", "", 10), IsEmpty());
  writer->append(as_bytes("hts"));
  writer->commit("key");
  EXPECT_EQ(get("key"), "weights");
}

TEST_P(ObjectStoreConformance, KeepsNothingOfAnAbandonedWriter) {
  {
    const auto writer = store.create();
    writer->append(as_bytes("weig"));
  }
  EXPECT_THAT(store.list("", "", 10), IsEmpty());
}

TEST_P(ObjectStoreConformance, LeavesAnObjectThatIsThereAsItIs) {
  put("key", "first");
  put("key", "second");
  EXPECT_EQ(get("key"), "first");
}

TEST_P(ObjectStoreConformance, TakesTheSameKeyFromSeveralThreadsAtOnce) {
  const std::string content(300'000, 'x');
  for (int round = 0; round < 10; ++round) {
    const std::string key = "packs/" + std::to_string(round) + "/key";
    {
      std::vector<std::jthread> threads;
      for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
          put(key, content);
          EXPECT_EQ(get(key), content);
        });
      }
    }
    EXPECT_EQ(get(key), content);
  }
}

TEST_P(ObjectStoreConformance, ReadsFromAnyOffset) {
  put("key", "0123456789");
  const auto read = [&](std::uint64_t offset, std::size_t size) {
    std::string buffer(size, '?');
    buffer.resize(store.read("key", offset, std::as_writable_bytes(std::span(buffer))));
    return buffer;
  };
  EXPECT_EQ(read(0, 10), "0123456789");
  EXPECT_EQ(read(3, 4), "3456");
  EXPECT_EQ(read(3, 0), "");
  EXPECT_EQ(read(8, 10), "89");
  EXPECT_EQ(read(10, 1), "");
  EXPECT_EQ(read(1'000'000, 1), "");
}

TEST_P(ObjectStoreConformance, KnowsNoObjectThatWasNotPut) {
  put("packs/ab", "weights");
  for (const char* absent : {"packs", "packs/a", "packs/abc", "packs/ab/c", "other"}) {
    EXPECT_EQ(store.find(absent), std::nullopt) << absent;
    std::byte buffer[1];
    expect_error(ErrorCode::not_found, [&] { store.read(absent, 0, buffer); });
  }
}

TEST_P(ObjectStoreConformance, RemovesAnObject) {
  put("packs/ab", "weights");
  EXPECT_EQ(get("packs/ab"), "weights");
  store.remove("packs/ab");
  EXPECT_EQ(store.find("packs/ab"), std::nullopt);
  std::byte buffer[1];
  expect_error(ErrorCode::not_found, [&] { store.read("packs/ab", 0, buffer); });
  EXPECT_THAT(store.list("", "", 10), IsEmpty());
  put("packs/ab", "weights");
  EXPECT_EQ(get("packs/ab"), "weights");
}

TEST_P(ObjectStoreConformance, RemovesAnAbsentObject) {
  EXPECT_NO_THROW(store.remove("absent"));
  EXPECT_NO_THROW(store.remove("packs/ab/absent"));
}

TEST_P(ObjectStoreConformance, ListsKeysInByteOrder) {
  for (const char* key : {"b", "a/z", "a.b", "a/b/c", "a0", "B", "\xc3\xa9", "a/b.c"}) {
    put(key, key);
  }
  EXPECT_THAT(keys("", "", 100),
              ElementsAre("B", "a.b", "a/b.c", "a/b/c", "a/z", "a0", "b", "\xc3\xa9"));
}

TEST_P(ObjectStoreConformance, ListsWhatBeginsWithAPrefix) {
  for (const char* key : {"packs/ab/abc", "packs/ab/abd", "packs/b", "pack", "q"})
    put(key, "");
  EXPECT_THAT(keys("packs/ab/", "", 100), ElementsAre("packs/ab/abc", "packs/ab/abd"));
  EXPECT_THAT(keys("packs/ab/abd", "", 100), ElementsAre("packs/ab/abd"));
  EXPECT_THAT(keys("pack", "", 100),
              ElementsAre("pack", "packs/ab/abc", "packs/ab/abd", "packs/b"));
  EXPECT_THAT(keys("packs/a/", "", 100), IsEmpty());
  EXPECT_THAT(keys("x", "", 100), IsEmpty());
}

TEST_P(ObjectStoreConformance, ListsPageByPage) {
  std::vector<std::string> expected;
  for (int i = 10; i < 35; ++i) {
    expected.push_back("packs/" + std::to_string(i / 10) + "/" + std::to_string(i));
    put(expected.back(), std::to_string(i));
  }
  for (const std::size_t page_size : {1, 3, 25, 26}) {
    std::vector<std::string> seen;
    std::string last;
    for (;;) {
      const auto page = store.list("packs/", last, page_size);
      EXPECT_LE(page.size(), page_size);
      if (page.empty()) break;
      for (const ObjectInfo& object : page) {
        EXPECT_EQ(object.size_bytes, 2u);
        seen.push_back(object.key);
      }
      last = page.back().key;
    }
    EXPECT_EQ(seen, expected);
  }
}

TEST_P(ObjectStoreConformance, ListsAfterAKeyThatIsNotThere) {
  for (const char* key : {"a/1", "a/3", "b/1"}) put(key, "");
  EXPECT_THAT(keys("", "a/2", 100), ElementsAre("a/3", "b/1"));
  EXPECT_THAT(keys("", "a", 100), ElementsAre("a/1", "a/3", "b/1"));
  EXPECT_THAT(keys("a/", "a/3", 100), IsEmpty());
  EXPECT_THAT(keys("b", "a/2", 100), ElementsAre("b/1"));
  EXPECT_THAT(keys("a", "b", 100), IsEmpty());
  EXPECT_THAT(keys("", "", 0), IsEmpty());
}

TEST_P(ObjectStoreConformance, RefusesKeysThatEscapeOrAreAmbiguous) {
  for (const char* bad :
       {"", "/etc/passwd", "../key", "a/../../key", "a//b", "a/", "./a"}) {
    SCOPED_TRACE(bad);
    const auto writer = store.create();
    expect_error(ErrorCode::invalid_argument, [&] { writer->commit(bad); });
    EXPECT_THAT(store.list("", "", 10), IsEmpty());
  }
}

TEST_P(ObjectStoreConformance, ServesReadersWhileWritersWork) {
  put("packs/0", std::string(100'000, 'a'));
  std::atomic<bool> done = false;
  {
    std::jthread reader([&] {
      while (!done) {
        EXPECT_EQ(get("packs/0").size(), 100'000u);
        for (const ObjectInfo& object : store.list("packs/", "", 100)) {
          EXPECT_EQ(object.size_bytes, 100'000u) << object.key;
        }
      }
    });
    for (int i = 1; i <= 50; ++i) {
      put("packs/" + std::to_string(i), std::string(100'000, 'b'));
      if (i % 2 == 0) store.remove("packs/" + std::to_string(i));
    }
    done = true;
  }
  EXPECT_EQ(keys("packs/", "", 100).size(), 26u);
}

}  // namespace
}  // namespace mendel::storage
