// Goal: each event makes each trigger that it concerns start one job, and never two, with
// several servers at once and whenever one of them, or its connection, is killed.

#include <gmock/gmock.h>

#include <atomic>
#include <memory>
#include <set>
#include <thread>

#include "registry/services/triggers/dispatcher.h"
#include "schema/transaction.h"
#include "tests/registry/trigger_fixture.h"
#include "tests/testing/wait.h"

namespace mendel::registry {
namespace {

using nlohmann::json;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const json kCalib{{"new_version", "lhcb/calib-2016"}};

// Everybody's connections to this database but the one that asks.
constexpr schema::Statement kCutConnections{"test_cut_connections", R"sql(
  select count(pg_terminate_backend(pid)) as cut
    from pg_stat_activity
   where datname = current_database() and pid <> pg_backend_pid()
)sql"};

constexpr schema::Statement kCountDecisions{"test_count_decisions", R"sql(
  select count(*) as decisions, count(distinct (event_id, trigger_id)) as pairs,
         count(distinct job) as jobs
    from trigger_decision
)sql"};

// Another server on the same database.
struct OtherServer {
  OtherServer(const std::string& url, const Clock& clock)
      : database(url, 4),
        changes(database),
        access(database, changes, clock),
        inputs(database, access),
        jobs(database, changes, access, inputs, clock),
        dispatcher(database, changes, access, jobs, clock) {}

  schema::Database database;
  ChangeFeed changes;
  AccessService access;
  InputService inputs;
  JobMaking jobs;
  TriggerDispatcher dispatcher;
};

class Dispatchers : public TriggerTest {
 protected:
  std::unique_ptr<OtherServer> other_server() {
    return std::make_unique<OtherServer>(test_database.url(), registry.clock);
  }

  // Every event was told to both triggers, once, and there is a job for each time.
  void expect_one_job_for_each(std::size_t times) {
    EXPECT_THAT(events("unconsumed"), IsEmpty());
    EXPECT_THAT(events("parked"), IsEmpty());
    std::set<std::string> made;
    for (const auto& job : jobs()) made.insert(job.uuid);
    EXPECT_EQ(made.size(), times);
    transact([&](schema::Transaction& tx) {
      const auto row = tx.exec_one(kCountDecisions);
      EXPECT_EQ(schema::at<std::int64_t>(row, "decisions"),
                static_cast<std::int64_t>(times));
      EXPECT_EQ(schema::at<std::int64_t>(row, "pairs"), static_cast<std::int64_t>(times));
      EXPECT_EQ(schema::at<std::int64_t>(row, "jobs"), static_cast<std::int64_t>(times));
    });
  }
};

TEST_F(Dispatchers, TellEachEventOnceWhenTwoAreAtWork) {
  constexpr std::size_t kEvents = 60;
  apply("first", kCalib);
  apply("second", kCalib);
  for (std::size_t i = 0; i < kEvents; ++i) record_version("calib-2016");
  const auto one = other_server();
  const auto two = other_server();
  {
    std::jthread at_once([&] { one->dispatcher.work(); });
    two->dispatcher.work();
  }
  work();  // what one held while the other passed by
  expect_one_job_for_each(2 * kEvents);
}

TEST_F(Dispatchers, LoseNothingWhenTheirConnectionsAreCut) {
  constexpr std::size_t kEvents = 60;
  apply("first", kCalib);
  apply("second", kCalib);
  for (std::size_t i = 0; i < kEvents; ++i) record_version("calib-2016");
  const auto one = other_server();
  const auto two = other_server();
  std::atomic<bool> is_done = false;
  std::atomic<int> failures = 0;
  const auto keep_working = [&](OtherServer& server) {
    while (!is_done) {
      try {
        server.dispatcher.work();
        is_done = events("unconsumed").empty();
      } catch (const Error&) {
        ++failures;
      }
    }
  };
  {
    schema::Database knife(test_database.url(), 1);
    std::jthread cutter([&] {
      // Ever less often, so that it ends on a machine of any speed.
      for (auto pause = std::chrono::milliseconds(20); !is_done; pause += pause / 5) {
        std::this_thread::sleep_for(pause);
        knife.transact("cut",
                       [](schema::Transaction& tx) { tx.exec_one(kCutConnections); });
      }
    });
    std::jthread first([&] { keep_working(*one); });
    std::jthread second([&] { keep_working(*two); });
  }
  EXPECT_GT(failures, 0);
  expect_one_job_for_each(2 * kEvents);
}

// Goal: an event that is being written while a trigger is applied, and commits after that
// or before, is heard exactly where it comes later. Method: the trigger's transaction must
// wait.
TEST_F(Dispatchers, HearOfAllThatCommitsAfterTheyWereApplied) {
  std::jthread applier;
  transact([&](schema::Transaction& tx) {
    record_event(tx,
                 {.kind = EventKind::new_version,
                  .topic = version_topic(ArtifactName::parse("lhcb/calib-2016")),
                  .ns = ns,
                  .payload = json{{"artifact", "lhcb/calib-2016"}, {"version", 1}}.dump(),
                  .chain = {},
                  .cause_job = ""});
    applier = std::jthread([&] { apply("on-calib", kCalib); });
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    EXPECT_EQ(error_of([&] { trigger("on-calib"); }), ErrorCode::not_found);
  });
  applier.join();
  record_version("calib-2016");
  work();
  EXPECT_THAT(jobs(), SizeIs(1));
}

TEST_F(Dispatchers, FireOnceForTheSameTime) {
  apply("nightly", {{"schedule", "0 3 * * *"}});
  apply("later", kCalib, {{"debounce_seconds", 600}});
  record_version("calib-2016");
  work();
  registry.clock.advance(std::chrono::hours(4));
  const auto one = other_server();
  const auto two = other_server();
  {
    std::jthread at_once([&] { one->dispatcher.work(); });
    two->dispatcher.work();
  }
  work();
  EXPECT_THAT(jobs(), SizeIs(2));
}

TEST_F(Dispatchers, TellMoreTriggersThanOneTransactionTakes) {
  constexpr int kTriggers = 70;
  for (int i = 0; i < kTriggers; ++i) apply("on-calib-" + std::to_string(i), kCalib);
  record_version("calib-2016");
  work();
  EXPECT_THAT(jobs(), SizeIs(kTriggers));
  EXPECT_THAT(events("unconsumed"), IsEmpty());
}

// Goal: one leads; when it stops, or dies without a word, another does what is to be done.
TEST_F(Dispatchers, TakeOver) {
  apply("on-calib", kCalib);
  auto one = other_server();
  const auto two = other_server();
  one->dispatcher.start();
  record_version("calib-2016");
  EXPECT_TRUE(testing::eventually([&] { return jobs().size() == 1; }));
  two->dispatcher.start();
  one->dispatcher.stop();
  record_version("calib-2016");
  EXPECT_TRUE(testing::eventually([&] { return jobs().size() == 2; }));

  // Somebody leads who is not heard of again.
  two->dispatcher.stop();
  transact([](schema::Transaction& tx) {
    EXPECT_TRUE(schema::try_to_lead(tx, "triggers", "a server that was killed", 1500));
  });
  two->dispatcher.start();
  record_version("calib-2016");
  EXPECT_TRUE(testing::eventually([&] { return jobs().size() == 3; }));
  two->dispatcher.stop();
}

TEST_F(Dispatchers, LeadOneAtATime) {
  const auto leads = [&](const char* holder) {
    return transact([&](schema::Transaction& tx) {
      return schema::try_to_lead(tx, "triggers", holder, 60'000);
    });
  };
  EXPECT_TRUE(leads("one"));
  EXPECT_FALSE(leads("two"));
  EXPECT_TRUE(leads("one"));
  transact([](schema::Transaction& tx) { schema::stop_leading(tx, "triggers", "two"); });
  EXPECT_FALSE(leads("two"));
  transact([](schema::Transaction& tx) { schema::stop_leading(tx, "triggers", "one"); });
  EXPECT_TRUE(leads("two"));
}

}  // namespace
}  // namespace mendel::registry
