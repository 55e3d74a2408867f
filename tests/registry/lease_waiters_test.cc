#include "registry/services/jobs/lease_waiters.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "registry/services/jobs/admission.h"

namespace mendel::registry {

namespace {

// A change feed that is never started asks no database.
class LeaseWaitersTest : public ::testing::Test {
 protected:
  LeaseWaiters::Place wait(const std::string& queue, const std::string& name) {
    return wait(queue, name, waiters.ticket());
  }
  LeaseWaiters::Place wait(const std::string& queue, const std::string& name,
                           std::uint64_t ticket) {
    return waiters.wait(queue, ticket, [this, name] { woken.push_back(name); });
  }

  using Names = std::vector<std::string>;

  schema::Database nowhere{"postgresql:///nowhere", 1};
  ChangeFeed changes{nowhere};
  LeaseWaiters waiters{changes};
  Names woken;
};

TEST_F(LeaseWaitersTest, WakesWhoHasWaitedLongestInTheQueueThatHasAJob) {
  const auto a = wait("gpu", "a");
  const auto b = wait("gpu", "b");
  const auto c = wait("cpu", "c");
  changes.announce(queue_topic("gpu"));
  EXPECT_EQ(woken, Names({"a"}));
  changes.announce(queue_topic("gpu"));
  changes.announce(queue_topic("gpu"));
  changes.announce(queue_topic("nobody's"));
  EXPECT_EQ(woken, Names({"a", "b"}));
}

TEST_F(LeaseWaitersTest, ForgetsWhoHasGone) {
  auto a = wait("gpu", "a");
  const auto b = wait("gpu", "b");
  a.reset();
  waiters.wake_next("gpu");
  EXPECT_EQ(woken, Names({"b"}));
}

TEST_F(LeaseWaitersTest, WakesAtOnceWhoLookedBeforeAnAnnouncement) {
  const std::uint64_t ticket = waiters.ticket();
  changes.announce(queue_topic("gpu"));
  const auto a = wait("gpu", "a", ticket);
  EXPECT_EQ(woken, Names({"a"}));
  changes.announce(queue_topic("gpu"));
  EXPECT_EQ(woken, Names({"a"}));
}

TEST_F(LeaseWaitersTest, WakesOneOfEachQueueWhenAnythingMayHaveChanged) {
  const auto a = wait("gpu", "a");
  const auto b = wait("gpu", "b");
  const auto c = wait("cpu", "c");
  changes.announce("");
  EXPECT_EQ(woken, Names({"c", "a"}));
}

TEST_F(LeaseWaitersTest, IgnoresWhatElseChanges) {
  const auto a = wait("gpu", "a");
  const std::uint64_t ticket = waiters.ticket();
  changes.announce("artifact/7");
  EXPECT_EQ(waiters.ticket(), ticket);
  EXPECT_EQ(woken, Names());
}

}  // namespace

}  // namespace mendel::registry
