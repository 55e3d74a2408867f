#include "registry/services/downloads.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "storage/base/error.h"
#include "tests/testing/manual_clock.h"
#include "tests/testing/registry_server.h"
#include "tests/testing/test_database.h"

namespace mendel::registry {
namespace {

using nlohmann::json;
using testing::Answer;
using ::testing::HasSubstr;
using testing::ManualClock;
using testing::RegistryServer;
using testing::TestDatabase;

constexpr std::size_t kDaysMax = 10;

class CountedDownloads : public ::testing::Test {
 protected:
  TestDatabase database;
  ManualClock clock{parse_rfc3339("2024-02-13T12:00:00Z")};
  Downloads downloads{database.database(), clock};
};

TEST_F(CountedDownloads, AreKeptByUtcDay) {
  downloads.count(7);
  clock.advance(std::chrono::hours(13));
  downloads.count(7);
  downloads.count(7);
  downloads.count(8);

  const auto found = downloads.of(7, kDaysMax);
  EXPECT_EQ(found.total, 3);
  ASSERT_EQ(found.days.size(), 2);
  EXPECT_EQ(found.days[0].downloads, 2);
  EXPECT_EQ(Timestamp(found.days[0].day), parse_rfc3339("2024-02-14T00:00:00Z"));
  EXPECT_EQ(found.days[1].downloads, 1);
  EXPECT_EQ(downloads.of(9, kDaysMax).total, 0);
  EXPECT_EQ(downloads.of(7, 1).days.size(), 1);
}

TEST_F(CountedDownloads, AddUpOverServersAndThreads) {
  constexpr int kThreads = 8;
  constexpr int kEach = 2000;
  Downloads other(database.database(), clock);
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&, i] {
        for (int n = 0; n < kEach; ++n) (i % 2 == 0 ? downloads : other).count(n % 3);
      });
    }
    for (int i = 0; i < 20; ++i) downloads.of(0, kDaysMax);
  }
  other.stop();
  downloads.stop();

  std::int64_t all = 0;
  for (VersionId version = 0; version < 3; ++version) {
    all += downloads.of(version, kDaysMax).total;
  }
  EXPECT_EQ(all, kThreads * kEach);
  EXPECT_EQ(downloads.counted() + other.counted(), kThreads * kEach);
}

TEST_F(CountedDownloads, AreNotLostWhileTheDatabaseIsAway) {
  schema::Database away("host=/nonexistent", 1);
  Downloads counting(away, clock);
  counting.count(7);
  EXPECT_THROW(counting.of(7, kDaysMax), Error);
  EXPECT_THROW(counting.of(7, kDaysMax), Error) << "it still has something to write";
  EXPECT_EQ(counting.counted(), 1);
}

// One model with one file, over the API.
class DownloadsOfAVersion : public ::testing::Test {
 protected:
  DownloadsOfAVersion() {
    server.send("PUT", "/api/v1/namespaces/lhcb", "{}");
    const json files = {{{"path", "a.txt"}, {"digest", server.put_blob("lhcb", "hello")}}};
    published = server.send("POST", "/api/v1/models/lhcb/trk/versions",
                            json{{"files", files}, {"aliases", {"production"}}}.dump());
    EXPECT_EQ(published.status, 201) << published.body;
  }

  Answer get(const std::string& rest, const RegistryServer::HeaderList& headers = {}) {
    return server.send("GET", at(rest), "", headers);
  }
  static std::string at(const std::string& rest) {
    return "/api/v1/models/lhcb/trk/versions/" + rest;
  }
  std::int64_t count() {
    return get("1/downloads").json()["downloads"].get<std::int64_t>();
  }

  RegistryServer server;
  Answer published;
};

TEST_F(DownloadsOfAVersion, AreFilesArchivesAndBundles) {
  EXPECT_EQ(count(), 0);
  get("1/files/a.txt");
  EXPECT_EQ(count(), 1);
  get("production/files/a.txt");
  EXPECT_EQ(count(), 2);
  EXPECT_EQ(server.send_to_memory("GET", at("production/files/a.txt")).status, 200);
  EXPECT_EQ(count(), 3);
  get("1/archive");
  EXPECT_EQ(count(), 4);
  server.send("POST", at("1/bundle"), "{}");
  EXPECT_EQ(count(), 5);

  const json answer = get("latest/downloads").json();
  EXPECT_EQ(answer["version"], "lhcb/trk:1");
  EXPECT_EQ(answer["days"], (json{{{"date", "2024-02-13"}, {"downloads", 5}}}));
  EXPECT_THAT(server.send("GET", "/metrics").body, HasSubstr("mendel_downloads_total 5\n"));
}

TEST_F(DownloadsOfAVersion, BeginWithTheFirstByte) {
  get("1/files/a.txt", {{"Range", "bytes=1-"}});
  get("1/files/a.txt", {{"Range", "bytes=9-"}});
  server.send("HEAD", at("1/files/a.txt"));
  server.send("HEAD", at("1/archive"));
  const std::string file = "\"" + Digest::of("hello").to_string() + "\"";
  EXPECT_EQ(get("1/files/a.txt", {{"If-None-Match", file}}).status, 304);
  get("1/files/none");
  get("1/files");
  EXPECT_EQ(count(), 0);
  get("1/files/a.txt", {{"Range", "bytes=0-1"}});
  EXPECT_EQ(count(), 1);
}

TEST_F(DownloadsOfAVersion, AreForItsReaders) {
  EXPECT_EQ(get("1/downloads", {{"Authorization", ""}}).status, 401);
  EXPECT_EQ(get("2/downloads").status, 404);
}

}  // namespace
}  // namespace mendel::registry
