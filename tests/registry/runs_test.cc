#include "registry/services/runs.h"

#include <gmock/gmock.h>

#include "tests/registry/run_fixture.h"

namespace mendel::registry {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Runs : public RunTest {
 protected:
  std::string status_of(const schema::RunRow& run) {
    return registry.runs.get(run.uuid).status;
  }
  schema::RunRow start_with_heartbeat() {
    auto request = run_request("wgan");
    request.heartbeat_seconds = 60;
    return start(request);
  }
  void let_pass(std::chrono::seconds time) {
    registry.clock.advance(time);
    registry.runs.mark_lost();
  }
};

TEST_F(Runs, KeepWhatTheyWereStartedWith) {
  auto request = run_request("wgan");
  request.hyperparameters = R"({"lr":0.001})";
  request.source = R"({"commit": "0123456789012345678901234567890123456789"})";
  request.labels = R"({"site": "CNAF"})";
  request.command = R"(["./train", "--data", "inputs/data"])";
  request.directory = "gan";
  request.keep = KeepRule::parse("last:2");
  request.inputs = {{.role = "trained-on",
                     .name = "data",
                     .target_id = std::nullopt,
                     .uri = "root://eos.example.org//f.root",
                     .digest = std::nullopt}};
  const auto run = registry.runs.get(start(request).uuid);
  EXPECT_EQ(run.status, "running");
  EXPECT_EQ(run.hyperparameters, R"({"lr":0.001})");
  EXPECT_EQ(run.keep_rule, "last:2");
  EXPECT_EQ(run.command, R"(["./train", "--data", "inputs/data"])");
  EXPECT_EQ(run.directory, "gan");
  EXPECT_EQ(run.created_by, "admin");
  const auto inputs = parse_edges(run.inputs);
  ASSERT_THAT(inputs, SizeIs(1));
  EXPECT_EQ(inputs[0].name, "data");
  EXPECT_EQ(inputs[0].uri, "root://eos.example.org//f.root");
}

TEST_F(Runs, AreFoundByTheCommitThatTheyWereMadeFrom) {
  auto request = run_request("wgan");
  request.source = R"({"commit": "0123456789012345678901234567890123456789"})";
  const std::string uuid = start(request).uuid;
  const auto found = registry.pedigree.find_commit(admin, "0123456", 10, std::nullopt);
  ASSERT_THAT(found.runs, SizeIs(1));
  EXPECT_EQ(found.runs[0].uuid, uuid);
  EXPECT_EQ(found.runs[0].name, "wgan");

  Caller stranger = admin;
  stranger.is_admin = false;
  stranger.principal = std::nullopt;
  EXPECT_THROW(registry.pedigree.find_commit(stranger, "0123456", 10, std::nullopt), Error);
}

TEST_F(Runs, AreMadeOnceForAnId) {
  auto request = run_request("wgan");
  request.uuid = "01a1fe0c-89bd-7173-af3a-7189431de521";
  EXPECT_TRUE(registry.runs.create(admin, ns, request).is_new);
  EXPECT_FALSE(registry.runs.create(admin, ns, request).is_new);
  request.digest = Digest::of("another body");
  EXPECT_EQ(error_of([&] { registry.runs.create(admin, ns, request); }),
            ErrorCode::unprocessable);
  EXPECT_THAT(registry.runs.list(admin, {}, {10, std::nullopt}).items, SizeIs(1));
}

TEST_F(Runs, EndForEver) {
  const auto run = start();
  auto change = status("failed");
  change.exit_status = 3;
  change.finished_at = registry.clock.now();
  registry.runs.change(admin, run.uuid, change);
  registry.runs.change(admin, run.uuid, change);
  EXPECT_EQ(registry.runs.get(run.uuid).exit_status, 3);

  for (const char* other : {"running", "finished", "killed"}) {
    EXPECT_EQ(error_of([&] { registry.runs.change(admin, run.uuid, status(other)); }),
              ErrorCode::already_exists)
        << other;
  }
  change.exit_status = 4;
  EXPECT_EQ(error_of([&] { registry.runs.change(admin, run.uuid, change); }),
            ErrorCode::already_exists);
  EXPECT_EQ(registry.runs.record_heartbeat(admin, run.uuid), "failed");
  EXPECT_EQ(registry.runs.get(run.uuid).exit_status, 3);
}

TEST_F(Runs, EndAfterTheyStarted) {
  const auto run = start();
  auto change = status("finished");
  change.finished_at = registry.clock.now() - std::chrono::hours(1);
  EXPECT_EQ(error_of([&] { registry.runs.change(admin, run.uuid, change); }),
            ErrorCode::unprocessable);
  change.finished_at = registry.clock.now() + std::chrono::hours(1);
  EXPECT_EQ(error_of([&] { registry.runs.change(admin, run.uuid, change); }),
            ErrorCode::unprocessable);
  change = status("running");
  change.finished_at = registry.clock.now();
  EXPECT_EQ(error_of([&] { registry.runs.change(admin, run.uuid, change); }),
            ErrorCode::unprocessable);
  EXPECT_EQ(status_of(run), "running");
}

TEST_F(Runs, GatherResources) {
  const auto run = start();
  RunService::Change change;
  change.resources = R"({"wall_seconds": 10, "site": "CNAF"})";
  registry.runs.change(admin, run.uuid, change);
  change.resources = R"({"wall_seconds": 20})";
  registry.runs.change(admin, run.uuid, change);
  EXPECT_EQ(nlohmann::json::parse(registry.runs.get(run.uuid).resources),
            nlohmann::json::parse(R"({"wall_seconds": 20, "site": "CNAF"})"));
}

TEST_F(Runs, AreLostAfterThreeHeartbeatsAndComeBack) {
  const auto run = start_with_heartbeat();
  let_pass(std::chrono::seconds(180));
  EXPECT_EQ(status_of(run), "running");
  let_pass(std::chrono::seconds(1));
  EXPECT_EQ(status_of(run), "lost");
  EXPECT_EQ(registry.runs.record_heartbeat(admin, run.uuid), "running");
  let_pass(std::chrono::seconds(170));
  EXPECT_EQ(status_of(run), "running");
  let_pass(std::chrono::seconds(20));
  EXPECT_EQ(status_of(run), "lost");
  registry.runs.change(admin, run.uuid, status("finished"));
  EXPECT_EQ(status_of(run), "finished");
}

TEST_F(Runs, AreNeverLostWithoutHeartbeats) {
  const auto run = start();
  let_pass(std::chrono::hours(1000));
  EXPECT_EQ(status_of(run), "running");
  EXPECT_EQ(registry.runs.record_heartbeat(admin, run.uuid), "running");
}

TEST_F(Runs, AreNotLostOnceTheyHaveEnded) {
  const auto run = start_with_heartbeat();
  registry.runs.change(admin, run.uuid, status("killed"));
  let_pass(std::chrono::hours(1));
  EXPECT_EQ(status_of(run), "killed");
}

TEST_F(Runs, AreListedNewestFirst) {
  std::vector<std::string> started;
  for (int i = 0; i < 5; ++i)
    started.push_back(start(run_request("r" + std::to_string(i))).uuid);
  registry.runs.change(admin, started[2], status("finished"));

  std::vector<std::string> listed;
  std::optional<std::string> next;
  do {
    const auto page = registry.runs.list(admin, {}, {2, next});
    for (const auto& run : page.items) listed.push_back(run.uuid);
    next = page.next;
  } while (next);
  std::ranges::reverse(started);
  EXPECT_EQ(listed, started);

  schema::RunFilter filter;
  filter.status = "finished";
  const auto finished = registry.runs.list(admin, filter, {10, std::nullopt});
  ASSERT_THAT(finished.items, SizeIs(1));
  EXPECT_EQ(finished.items[0].name, "r2");
  filter.folded_namespace = "elsewhere";
  EXPECT_THAT(registry.runs.list(admin, filter, {10, std::nullopt}).items, IsEmpty());
}

TEST_F(Runs, AreListedForThoseAloneWhoMayReadThem) {
  start();
  const Name stranger_name = Name::parse("a name", "stranger");
  registry.principals.put(admin, stranger_name, {}, [](const auto*) {});
  TokenRequest request;
  request.principal = stranger_name;
  request.scopes = Scopes::all();
  const Caller stranger =
      registry.access.authenticate(registry.tokens.issue(admin, request).secret);
  EXPECT_THAT(registry.runs.list(stranger, {}, {10, std::nullopt}).items, IsEmpty());
}

// The thread that does in a server what these tests do by hand.
TEST_F(Runs, AreLookedAfterInTheBackground) {
  const auto run = start_with_heartbeat();
  registry.clock.advance(std::chrono::hours(1));
  registry.run_upkeep.start();
  while (status_of(run) != "lost")
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  registry.run_upkeep.stop();
}

}  // namespace
}  // namespace mendel::registry
