// Looking at a repository that is really served, by several servers at once.

#include "registry/services/egress/poller.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <thread>

#include "schema/access.h"
#include "schema/transaction.h"
#include "storage/base/error.h"
#include "tests/testing/git_http_server.h"
#include "tests/testing/git_work_tree.h"
#include "tests/testing/manual_clock.h"
#include "tests/testing/temporary_directory.h"
#include "tests/testing/test_database.h"

namespace mendel::registry {
namespace {

using ::testing::ElementsAre;
using testing::GitHttpServer;
using testing::GitWorkTree;
using ::testing::HasSubstr;

constexpr auto kPeriod = std::chrono::seconds(60);

struct PollerTest : ::testing::Test {
  PollerTest() {
    chmod(directory.path().c_str(), 0755);  // git may run as another user
    std::filesystem::create_directory(directory / "served");
    tree.write("a", "1");
    tree.commit_all();
    testing::run_in(directory.path(), "git clone -q --bare tree served/train.git");
    tree.git("remote add served ../served/train.git");
    test.database().transact("listen", [&](schema::Transaction& tx) {
      const auto ns = schema::insert_namespace(tx, "lhcb", "", "private")->id;
      tx.exec(
          schema::Statement{"test_poll",
                            "insert into poll (namespace_id, repository, url, "
                            "wants_paths, due_at) values ($1, 'x/train', $2, true, $3)"},
          ns, server.url("train.git"), clock.now());
    });
  }

  void push(const char* file) {
    tree.write(file, "2");
    tree.commit_all();
    tree.git("push -q served main");
  }

  std::vector<std::string> texts(const schema::Statement& statement) {
    return test.database().read("look", [&](schema::Transaction& tx) {
      std::vector<std::string> found;
      for (const auto& row : tx.exec(statement)) {
        found.push_back(schema::at<std::string>(row, "text"));
      }
      return found;
    });
  }
  std::vector<std::string> changed_paths() {
    return texts(
        {"test_paths", "select payload::jsonb ->> 'paths' as text from event order by id"});
  }
  std::vector<std::string> state() {
    return texts({"test_state",
                  "select failures || ' ' || problem || ' ' || "
                  "extract(epoch from due_at)::bigint as text from poll"});
  }
  std::string due_in(std::chrono::seconds time) {
    return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(
                              (clock.now() + time).time_since_epoch())
                              .count());
  }

  testing::TestDatabase test;
  testing::ManualClock clock{parse_rfc3339("2024-02-13T00:00:00Z")};
  testing::TemporaryDirectory directory;
  GitWorkTree tree = GitWorkTree::init(directory / "tree", "-b main");
  GitHttpServer server{directory / "served"};
  Egress egress{AddressRules::parse({"127.0.0.1"}), Egress::look_up_by_system};
  GitRemotes remotes{egress, directory / "git-cache"};
  ChangeFeed changes{test.database()};
  Poller poller{test.database(), changes, remotes, clock, kPeriod};
};

TEST_F(PollerTest, TellsOfWhatMovedSinceTheLastLook) {
  EXPECT_TRUE(poller.look_at_one());
  EXPECT_FALSE(poller.look_at_one());  // until it is due again
  push("data");
  clock.advance(kPeriod);
  EXPECT_TRUE(poller.look_at_one());
  EXPECT_THAT(changed_paths(), ElementsAre(R"(["data"])"));
  clock.advance(kPeriod);
  EXPECT_TRUE(poller.look_at_one());
  EXPECT_EQ(changed_paths().size(), 1u);
  EXPECT_THAT(state(), ElementsAre("0  " + due_in(kPeriod)));
}

TEST_F(PollerTest, SeveralAtOnceTellOfAPushOnce) {
  poller.look_at_one();
  for (int round = 1; round <= 3; ++round) {
    push(("file" + std::to_string(round)).c_str());
    clock.advance(kPeriod);
    std::vector<std::thread> servers;
    for (int i = 0; i < 4; ++i) {
      servers.emplace_back([&] {
        while (poller.look_at_one()) {
        }
      });
    }
    for (auto& server : servers) server.join();
    EXPECT_EQ(changed_paths().size(), static_cast<std::size_t>(round));
  }
}

// Who comes back after its claim has ended finds that another has looked.
TEST_F(PollerTest, AClaimThatHasEndedChangesNothing) {
  poller.look_at_one();
  push("data");
  clock.advance(kPeriod);
  const auto claim = [&](const char* id) {
    return test.database().transact("claim", [&](schema::Transaction& tx) {
      return schema::claim_poll(tx, clock.now(), clock.now() + std::chrono::minutes(5), id);
    });
  };
  const char* dead = "01a1fe0c-89bd-7173-af3a-7189431de521";
  const auto row = claim(dead);
  ASSERT_TRUE(row);
  EXPECT_FALSE(poller.look_at_one());
  clock.advance(std::chrono::minutes(5));
  EXPECT_TRUE(poller.look_at_one());
  EXPECT_EQ(changed_paths().size(), 1u);
  const bool is_still_its = test.database().transact("lock", [&](schema::Transaction& tx) {
    return schema::lock_claimed_poll(tx, *row, dead).has_value();
  });
  EXPECT_FALSE(is_still_its);
}

TEST_F(PollerTest, GivesBackWhatItWasStoppedOver) {
  remotes.stop();
  EXPECT_THROW(poller.look_at_one(), Error);
  GitRemotes others(egress, directory / "other-cache");
  Poller another{test.database(), changes, others, clock, kPeriod};
  EXPECT_TRUE(another.look_at_one());
  EXPECT_THAT(state(), ElementsAre("0  " + due_in(kPeriod)));
}

TEST_F(PollerTest, LooksLessAndLessAtWhatFails) {
  std::filesystem::rename(directory / "served/train.git", directory / "served/away.git");
  EXPECT_TRUE(poller.look_at_one());
  EXPECT_THAT(state()[0], HasSubstr("1 there is no repository at "));
  EXPECT_THAT(state()[0], HasSubstr(due_in(2 * kPeriod)));
  for (int i = 0; i < 6; ++i) {
    clock.advance(std::chrono::hours(2));
    EXPECT_TRUE(poller.look_at_one());
  }
  EXPECT_THAT(state()[0], HasSubstr(due_in(std::chrono::hours(1))));
  std::filesystem::rename(directory / "served/away.git", directory / "served/train.git");
  clock.advance(std::chrono::hours(1));
  EXPECT_TRUE(poller.look_at_one());
  EXPECT_THAT(state(), ElementsAre("0  " + due_in(kPeriod)));
}

}  // namespace
}  // namespace mendel::registry
