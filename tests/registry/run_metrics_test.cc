// Metrics from their intake to what is read of them, whether they lie in blocks, in sums or
// in segments by then.

#include <gmock/gmock.h>

#include <cmath>
#include <limits>
#include <map>
#include <thread>

#include "tests/registry/run_fixture.h"

namespace mendel::registry {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;
using ::testing::SizeIs;

const double kNan = std::numeric_limits<double>::quiet_NaN();

struct Said {
  std::string name;
  std::int64_t step;
  double value;
  std::optional<Timestamp> time = std::nullopt;
};

MetricBatch batch_of(const std::vector<Said>& said) {
  MetricBatch batch;
  std::map<std::string, std::uint32_t> numbers;
  for (const Said& each : said) {
    const auto next = static_cast<std::uint32_t>(batch.names.size());
    const auto [number, is_new] = numbers.try_emplace(each.name, next);
    if (is_new) batch.names.push_back(each.name);
    batch.entries.push_back({number->second, each.step, each.value, each.time});
  }
  return batch;
}

using Counts = std::pair<std::uint64_t, std::uint64_t>;  // accepted, duplicates

class RunMetrics : public RunTest {
 protected:
  Counts take(const std::vector<Said>& said) { return take(registry.metric_intake, said); }
  Counts take(MetricIntake& intake, const std::vector<Said>& said) {
    const auto taken = intake.take(run.id, batch_of(said));
    return {taken.accepted, taken.duplicates};
  }

  // Every step below count, of name.
  std::vector<Said> steps(const std::string& name, std::int64_t count) {
    std::vector<Said> said;
    for (std::int64_t step = 0; step < count; ++step) {
      said.push_back({name, step, static_cast<double>(step)});
    }
    return said;
  }

  std::vector<double> values(const std::string& name) {
    std::vector<double> values;
    for (const auto& point :
         registry.metric_reading.points(run.id, name, {}, 1'000'000).points) {
      values.push_back(point.value);
    }
    return values;
  }

  MetricSums sums(const std::string& name) {
    return registry.metric_reading.sums(run.id, name);
  }

  // As search sees them.
  schema::RunMetricRow folded(const std::string& name) {
    return test_database.database().read("a test", [&](schema::Transaction& tx) {
      return schema::find_run_metric(tx, run.id, name).value();
    });
  }

  schema::MetricLogRow log() {
    return test_database.database().read("a test", [&](schema::Transaction& tx) {
      return schema::find_metric_log(tx, run.id).value();
    });
  }

  void finish() { registry.runs.change(admin, run.uuid, status("finished")); }

  schema::RunRow run = start();
};

TEST_F(RunMetrics, AreTakenAndRead) {
  EXPECT_EQ(take({{"loss", 1, 0.5}, {"acc", 1, 0.1}, {"loss", 2, 0.25}}), Counts(3, 0));
  EXPECT_THAT(values("loss"), ElementsAre(0.5, 0.25));
  EXPECT_EQ(sums("acc").count, 1);
  EXPECT_EQ(sums("loss").last->value, 0.25);
  EXPECT_EQ(error_of([&] { sums("absent"); }), ErrorCode::not_found);
}

TEST_F(RunMetrics, AreKeptOnceHoweverOftenTheyAreSent) {
  const std::vector<Said> said{{"loss", 1, 0.5}, {"acc", 1, kNan}, {"loss", 2, 0.25}};
  EXPECT_EQ(take(said), Counts(3, 0));
  EXPECT_EQ(take(said), Counts(0, 3));
  registry.metric_folding.fold(run.id);
  EXPECT_EQ(take(said), Counts(0, 3));
  finish();
  EXPECT_EQ(take(said), Counts(0, 3)) << "also of a run that has ended";
  EXPECT_EQ(sums("loss").count, 2);
}

TEST_F(RunMetrics, AreFoundAgainWhereverTheyLie) {
  const auto many = steps("loss", 5'000);
  EXPECT_EQ(take(many), Counts(5'000, 0));
  EXPECT_EQ(take(many), Counts(0, 5'000)) << "from blocks";
  MetricIntake other(test_database.database(), registry.clock);
  EXPECT_EQ(take(other, many), Counts(0, 5'000)) << "by another server";
  finish();
  EXPECT_GT(log().compacted_count, 0);
  MetricIntake third(test_database.database(), registry.clock);
  EXPECT_EQ(take(third, many), Counts(0, 5'000)) << "from segments";
}

TEST_F(RunMetrics, AreTheSameByStepValueAndATimeThatWasSaid) {
  const Timestamp time = parse_rfc3339("2024-02-13T00:00:00Z");
  EXPECT_EQ(take({{"a", 1, 1.0}}), Counts(1, 0));
  registry.clock.advance(std::chrono::hours(1));
  EXPECT_EQ(take({{"a", 1, 1.0}}), Counts(0, 1)) << "when it was sent does not count";
  EXPECT_EQ(take({{"a", 1, 1.0, time}}), Counts(1, 0));
  EXPECT_EQ(take({{"a", 1, 1.0, time + std::chrono::seconds(1)}}), Counts(1, 0));
  EXPECT_EQ(take({{"a", 1, 1.0, time}, {"a", 1, 2.0, time}, {"a", 1, -0.0}, {"a", 1, 0.0}}),
            Counts(3, 1));
  EXPECT_EQ(take({{"b", 1, 7.0}, {"b", 1, 7.0}, {"b", 0, 7.0}, {"b", 0, 7.0}}),
            Counts(2, 2))
      << "within one batch";
}

// Of each metric only the highest steps are remembered, so all cases lead to the database.
TEST_F(RunMetrics, ComeInAnyOrder) {
  std::vector<Said> backwards = steps("loss", 300);
  std::ranges::reverse(backwards);
  EXPECT_EQ(take(backwards), Counts(300, 0));
  EXPECT_EQ(take(steps("loss", 301)), Counts(1, 300));
  const auto read = values("loss");
  ASSERT_THAT(read, SizeIs(301));
  EXPECT_TRUE(std::ranges::is_sorted(read)) << "they are read by step";
}

TEST_F(RunMetrics, SumUpExactly) {
  take({{"loss", 10, 3.0}, {"loss", 20, 1.0}, {"loss", 30, kNan}});
  take({{"loss", 30, 2.0}, {"loss", 5, 9.0}, {"loss", 6, 1.0}});
  const auto expect_sums = [](const MetricSums& sums) {
    EXPECT_EQ(sums.count, 6);
    EXPECT_EQ(sums.last->step, 30);
    EXPECT_EQ(sums.last->value, 2.0) << "of two at the highest step, the later one";
    EXPECT_EQ(sums.min->value, 1.0);
    EXPECT_EQ(sums.min->step, 20) << "the one that was recorded first";
    EXPECT_EQ(sums.max->value, 9.0);
  };
  expect_sums(sums("loss"));
  registry.metric_folding.fold(run.id);
  expect_sums(sums("loss"));
  EXPECT_EQ(log().folded_count, log().block_count);
  expect_sums(sums_of(folded("loss")));
}

TEST_F(RunMetrics, KeepWhatIsNoNumber) {
  const double infinity = std::numeric_limits<double>::infinity();
  take({{"a", 1, kNan}, {"b", 1, infinity}, {"b", 2, -infinity}});
  finish();
  EXPECT_TRUE(std::isnan(values("a").at(0)));
  EXPECT_TRUE(std::isnan(folded("a").last->value));
  EXPECT_FALSE(folded("a").min.has_value());
  EXPECT_THAT(values("b"), ElementsAre(infinity, -infinity));
  EXPECT_EQ(folded("b").min->value, -infinity);
  EXPECT_EQ(folded("b").max->value, infinity);
}

TEST_F(RunMetrics, AreExactInSearchOnceTheRunHasEnded) {
  take(steps("loss", 100));
  EXPECT_EQ(folded("loss").point_count, 0);
  finish();
  EXPECT_EQ(folded("loss").point_count, 100);
  EXPECT_TRUE(log().settled);
  EXPECT_EQ(values("loss").size(), 100u);
}

TEST_F(RunMetrics, OfARunThatHasEndedAreRefused) {
  take({{"loss", 1, 1.0}});
  MetricIntake other(test_database.database(), registry.clock);
  take(other, {{"loss", 1, 1.0}});
  finish();
  for (MetricIntake* intake : {&registry.metric_intake, &other}) {
    EXPECT_EQ(error_of([&] {
                take(*intake, {{"loss", 2, 1.0}});
              }),
              ErrorCode::already_exists);
    EXPECT_EQ(error_of([&] {
                take(*intake, {{"new", 1, 1.0}});
              }),
              ErrorCode::already_exists);
    EXPECT_EQ(error_of([&] {
                take(*intake, {{"loss", 1, 1.0}, {"loss", 0, 1.0}});
              }),
              ErrorCode::already_exists);
  }
  EXPECT_THAT(values("loss"), ElementsAre(1.0));
}

TEST_F(RunMetrics, HaveALimitOfNames) {
  std::vector<Said> said;
  for (std::size_t i = 0; i < MetricIntake::kNamesMax; ++i) {
    said.push_back({"m" + std::to_string(i), 1, 1.0});
  }
  take(said);
  EXPECT_EQ(error_of([&] {
              take({{"one too many", 1, 1.0}, {"m5", 2, 1.0}});
            }),
            ErrorCode::unprocessable);
  EXPECT_EQ(sums("m5").count, 1) << "nothing of a refused batch was taken";
  EXPECT_EQ(take({{"m5", 2, 1.0}}), Counts(1, 0));
}

TEST_F(RunMetrics, AreReadAPageAtATime) {
  std::vector<Said> said;
  for (int i = 0; i < 25; ++i) said.push_back({"loss", i / 10, static_cast<double>(i)});
  take(said);
  std::vector<double> read;
  std::optional<MetricReading::Position> next = MetricReading::Position{};
  while (next) {
    const auto page = registry.metric_reading.points(run.id, "loss", *next, 4);
    EXPECT_LE(page.points.size(), 4u);
    for (const auto& point : page.points) read.push_back(point.value);
    next = page.next;
  }
  ASSERT_THAT(read, SizeIs(25));
  EXPECT_TRUE(std::ranges::is_sorted(read)) << "of one step in the order of recording";
}

TEST_F(RunMetrics, AreSampledWhereverTheyLie) {
  take(steps("loss", 3'000));
  finish();
  const auto buckets = registry.metric_reading.buckets(run.id, "loss", 3);
  ASSERT_THAT(buckets, SizeIs(3));
  EXPECT_EQ(buckets[1].count, 1'000);
  EXPECT_EQ(buckets[1].min, 1'000.0);
  EXPECT_EQ(buckets[2].last, 2'999.0);
}

// Enough of them to become segments while the run goes on, and some that come after.
TEST_F(RunMetrics, BecomeSegmentsWhileTheRunGoesOn) {
  const std::int64_t count = 70'000;
  take(steps("loss", count));
  registry.metric_folding.fold(run.id);
  EXPECT_EQ(log().compacted_points, count);
  take({{"loss", count, 1.0}, {"loss", -0, 0.0}});
  EXPECT_EQ(sums("loss").count, count + 1);
  const auto page = registry.metric_reading.points(run.id, "loss", {count - 1, 0}, 10);
  EXPECT_THAT(page.points, SizeIs(2));
  finish();
  EXPECT_EQ(folded("loss").point_count, count + 1);
}

// Two servers that know the run, in turns: what one has added makes the other look again.
TEST_F(RunMetrics, MayComeThroughSeveralServers) {
  MetricIntake other(test_database.database(), registry.clock);
  for (std::int64_t step = 0; step < 20; ++step) {
    MetricIntake& intake = step % 2 == 0 ? registry.metric_intake : other;
    EXPECT_EQ(take(intake, {{"m" + std::to_string(step), step, 1.0}, {"loss", step, 2.0}}),
              Counts(2, 0));
    MetricIntake& same_again = step % 2 == 0 ? other : registry.metric_intake;
    EXPECT_EQ(take(same_again, {{"loss", step, 2.0}}), Counts(0, 1));
  }
  EXPECT_EQ(sums("loss").count, 20);
  EXPECT_THAT(registry.metric_reading.sums(run.id), SizeIs(21));
}

// Many threads and two servers send the same and different metrics, while a third folds.
TEST_F(RunMetrics, AreCountedExactlyUnderContention) {
  constexpr int kThreads = 6;
  constexpr int kBatches = 40;
  MetricIntake other(test_database.database(), registry.clock);
  std::atomic<std::uint64_t> accepted = 0;
  std::atomic<int> working = kThreads;
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&, thread] {
        MetricIntake& intake = thread % 2 == 0 ? registry.metric_intake : other;
        const std::string own = "own" + std::to_string(thread);
        for (std::int64_t step = 0; step < kBatches; ++step) {
          std::optional<Counts> counts;
          while (!counts) {
            try {
              counts = take(intake, {{"shared", step, 1.0}, {own, step, 1.0}});
            } catch (const Error& error) {
              ASSERT_EQ(error.code(), ErrorCode::aborted);
            }
          }
          accepted += counts->first;
        }
        --working;
      });
    }
    while (working > 0) {
      registry.metric_folding.fold(run.id);
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
  EXPECT_EQ(accepted, std::uint64_t(kBatches) * (kThreads + 1));
  EXPECT_EQ(sums("shared").count, kBatches);
  finish();
  EXPECT_EQ(folded("shared").point_count, kBatches);
  for (int thread = 0; thread < kThreads; ++thread) {
    EXPECT_EQ(folded("own" + std::to_string(thread)).point_count, kBatches);
  }
}

}  // namespace
}  // namespace mendel::registry
