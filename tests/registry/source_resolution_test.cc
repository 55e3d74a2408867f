#include "registry/services/jobs/source_resolution.h"

#include <map>

#include "registry/services/jobs/job_upkeep.h"
#include "tests/registry/job_fixture.h"

namespace mendel::registry {
namespace {

constexpr const char* kRepository = "https://git.example.org/train.git";

// Answers what a test has told it.
struct ToldResolver : SourceResolver {
  std::string commit_of(const std::string& repository, const std::string& ref) override {
    ++asked;
    if (failure) throw Error(*failure);
    return commits.at({repository, ref});
  }

  std::map<std::pair<std::string, std::string>, std::string> commits;
  std::optional<Error> failure;
  int asked = 0;
};

class SourceResolutionTest : public JobTest {
 protected:
  SourceResolutionTest() {
    auto with_source = document();
    with_source["source"] = {{"repository", kRepository}, {"ref", "main"}};
    pipeline = make_pipeline("retrain", with_source);
    resolver.commits[{kRepository, "main"}] = std::string(40, 'a');
  }

  ToldResolver resolver;
  SourceResolution resolution{test_database.database(), registry.changes, resolver,
                              registry.clock};
  PipelineId pipeline = 0;
};

TEST_F(SourceResolutionTest, TellsAllJobsOfASourceAtOnceAndAdmitsThem) {
  const auto first = make_job(pipeline);
  const auto second = make_job(pipeline);
  while (resolution.resolve_one()) continue;
  EXPECT_EQ(resolver.asked, 1);
  for (const auto& uuid : {first, second}) {
    EXPECT_EQ(job(uuid).source_commit, std::string(40, 'a'));
    EXPECT_TRUE(job(uuid).admitted);
  }
}

TEST_F(SourceResolutionTest, ARepositoryThatIsGoneFailsItsJobs) {
  const auto uuid = make_job(pipeline);
  resolver.failure = Error(ErrorCode::not_found, "no such repository");
  while (resolution.resolve_one()) continue;
  EXPECT_EQ(job(uuid).state, "failed");

  resolver.failure.reset();
  registry.jobs.retry(admin, uuid, "it is back");
  while (resolution.resolve_one()) continue;
  EXPECT_TRUE(job(uuid).admitted);
}

TEST_F(SourceResolutionTest, OneThatIsAwayIsAskedAgainLaterAndLater) {
  const auto uuid = make_job(pipeline);
  resolver.failure = Error(ErrorCode::unavailable, "no route to host");
  EXPECT_TRUE(resolution.resolve_one());
  EXPECT_FALSE(resolution.resolve_one());
  EXPECT_EQ(registry.jobs.details(job(uuid)).waiting_for,
            "the commit of main in https://git.example.org/train.git: no route to host");
  registry.clock.advance(std::chrono::seconds(6));
  EXPECT_TRUE(resolution.resolve_one());
  registry.clock.advance(std::chrono::seconds(6));
  EXPECT_FALSE(resolution.resolve_one());
  EXPECT_EQ(job(uuid).state, "queued");

  registry.clock.advance(std::chrono::hours(3 * 24 + 1));
  EXPECT_TRUE(resolution.resolve_one());
  EXPECT_EQ(job(uuid).state, "failed");
}

TEST_F(SourceResolutionTest, WhoIsKilledWhileItAsksIsSoonFollowedByAnother) {
  const auto uuid = make_job(pipeline);
  const Timestamp now = registry.clock.now();
  test_database.database().transact("claim", [&](schema::Transaction& tx) {
    const auto claimed =
        schema::claim_wanted_source(tx, now, now + std::chrono::seconds(10));
    schema::keep_claim(tx, *claimed, now + std::chrono::seconds(20));
  });
  registry.clock.advance(std::chrono::seconds(19));
  EXPECT_FALSE(resolution.resolve_one());
  registry.clock.advance(std::chrono::seconds(1));
  EXPECT_TRUE(resolution.resolve_one());
  EXPECT_TRUE(job(uuid).admitted);
}

TEST_F(SourceResolutionTest, ACancelledJobIsNotAskedFor) {
  const auto uuid = make_job(pipeline);
  registry.jobs.cancel(admin, uuid, "never mind");
  EXPECT_FALSE(resolution.resolve_one());
  EXPECT_EQ(job(uuid).state, "cancelled");
}

}  // namespace
}  // namespace mendel::registry
