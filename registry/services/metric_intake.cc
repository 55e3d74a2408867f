// One thread at a time works for a run, for itself and for those who wait meanwhile (see
// GroupWork). It sorts points into new ones, known ones and those that only the database
// can tell. The new ones become one block per run, and all blocks are one transaction. A
// run whose blocks have moved on meanwhile, by another server, takes none; then what is
// known of it is read again.

#include "registry/services/metric_intake.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "registry/services/group_work.h"
#include "registry/services/known_metrics.h"
#include "storage/base/error.h"
#include "storage/base/lru_cache.h"

namespace mendel::registry {

namespace {

constexpr std::size_t kKnownMemoryBytesMax = 64u << 20;
constexpr std::size_t kShards = 2;  // groups that are worked on at the same time
constexpr std::size_t kGroupMax = 64;
constexpr std::size_t kGroupPointsMax = 32 * 1024;
constexpr int kAttemptsMax = 8;

using PointSet = std::unordered_set<MetricPoint, MetricPointHash>;

// Those of the points that are stored.
PointSet find_stored(schema::Transaction& tx, RunId run, const PointSet& points) {
  std::unordered_map<std::int32_t, schema::StepRange> ranges;
  for (const MetricPoint& point : points) {
    const auto [known, is_new] =
        ranges.try_emplace(point.name_id, schema::StepRange{point.step, point.step});
    known->second.first = std::min(known->second.first, point.step);
    known->second.last = std::max(known->second.last, point.step);
  }
  PointSet stored;
  const auto remember = [&](std::span<const MetricPoint> found) {
    for (const MetricPoint& point : found) {
      if (points.contains(point)) stored.insert(point);
    }
  };
  const auto log = get_metric_log(tx, run);
  for (const auto& [name_id, steps] : ranges) {
    visit_segments(tx, log, name_id, steps, remember);
  }
  visit_blocks(tx, log, log.compacted_count, remember);
  return stored;
}

Error run_has_ended() {
  return Error(ErrorCode::already_exists,
               "the run has ended: it takes no more metrics than it has");
}

}  // namespace

// What one thread brings, and what became of it.
struct MetricIntake::Pending {
  const RunId run;
  const MetricBatch& batch;
  Taken taken{};
  std::optional<Error> failure{};  // its own, not its group's
};

// What one group brings for one run.
struct MetricIntake::RunWork {
  struct Undecided {
    Pending* pending;
    MetricPoint point;
  };

  std::vector<Pending*> pending;
  std::shared_ptr<KnownMetrics> known;
  std::vector<MetricPoint> points;  // new
  std::vector<schema::NewRunMetric> names;
  std::vector<Undecided> undecided;
};

struct MetricIntake::State {
  State(schema::Database& database, const Clock& clock)
      : database(database), clock(clock) {}

  schema::Database& database;
  const Clock& clock;
  LruCache<RunId, KnownMetrics> known{kKnownMemoryBytesMax};
  GroupWork<std::size_t, Pending> groups;
};

MetricIntake::MetricIntake(schema::Database& database, const Clock& clock)
    : state_(std::make_unique<State>(database, clock)) {}
MetricIntake::~MetricIntake() = default;

MetricIntake::Taken MetricIntake::take(RunId run, const MetricBatch& batch) {
  Pending mine{run, batch};
  const auto points = [](std::span<Pending* const> group) {
    std::size_t count = 0;
    for (const Pending* pending : group) count += pending->batch.entries.size();
    return count;
  };
  state_->groups.join(
      static_cast<std::size_t>(run) % kShards, mine,
      [&](std::span<Pending* const> group, const Pending&) {
        return group.size() < kGroupMax && points(group) < kGroupPointsMax;
      },
      [&](std::span<Pending* const> group) { work(group); });
  if (mine.failure) throw Error(*mine.failure);
  return mine.taken;
}

// A run whose metrics are damaged does not keep the others of its group from theirs.
void MetricIntake::work(std::span<Pending* const> group) {
  try {
    return work_together(group);
  } catch (const Error& error) {
    if (group.size() == 1 || error.code() != ErrorCode::data_loss) throw;
  }
  for (Pending* const pending : group) {
    try {
      work_together({&pending, 1});
    } catch (const Error& error) {
      pending->failure = error;
    }
  }
}

void MetricIntake::work_together(std::span<Pending* const> group) {
  std::vector<Pending*> open(group.begin(), group.end());
  for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
    open = work_once(open);
    if (open.empty()) return;
  }
  for (Pending* const pending : open) {
    pending->failure =
        Error(ErrorCode::aborted, "others keep adding metrics to this run: try again");
  }
}

// Returns those whose run has moved on meanwhile. What is known of a run is stale from the
// first change to it until the change is committed.
std::vector<MetricIntake::Pending*> MetricIntake::work_once(
    const std::vector<Pending*>& group) {
  std::map<RunId, RunWork> works;
  for (Pending* const pending : group) works[pending->run].pending.push_back(pending);

  std::vector<schema::NewMetricBlock> blocks;
  for (auto& [run, work] : works) {
    prepare(work);
    if (work.points.empty()) continue;
    blocks.push_back({.run_id = run,
                      .number = work.known->block_count,
                      .name_count = static_cast<std::int32_t>(work.known->metrics.size()),
                      .point_count = static_cast<std::int32_t>(work.points.size()),
                      .points = encode_points(work.points)});
  }
  if (blocks.empty()) return {};

  const auto appended =
      state_->database.transact("append metrics", [&](schema::Transaction& tx) {
        const auto runs = schema::append_metric_blocks(tx, blocks);
        std::vector<schema::NewRunMetric> names;
        for (const RunId run : runs)
          std::ranges::copy(works[run].names, std::back_inserter(names));
        schema::insert_run_metrics(tx, names);
        return runs;
      });

  for (const RunId run : appended) {
    RunWork& work = works[run];
    ++work.known->block_count;
    work.known->stale = false;
    if (!work.names.empty()) {
      state_->known.put(run, work.known, work.known->memory_bytes());
    }
    works.erase(run);
  }
  std::vector<Pending*> again;
  for (auto& [run, work] : works) {
    if (work.points.empty()) continue;
    for (Pending* const pending : work.pending) {
      if (!pending->failure) again.push_back(pending);
    }
  }
  return again;
}

std::shared_ptr<KnownMetrics> MetricIntake::known(RunId run) {
  auto known = state_->known.find(run);
  if (known && !known->stale) return known;
  known = state_->database.read("find a run's metrics", [&](schema::Transaction& tx) {
    return std::make_shared<KnownMetrics>(load_known_metrics(tx, run));
  });
  state_->known.put(run, known, known->memory_bytes());
  return known;
}

void MetricIntake::prepare(RunWork& work) {
  work.known = known(work.pending.front()->run);
  if (work.known->closed) return answer_for_closed(work);

  work.known->stale = true;
  const Timestamp now = state_->clock.now();
  for (Pending* const pending : work.pending) sort_out(work, *pending, now);
  settle_undecided(work);
  work.known->stale = !work.points.empty();
}

void MetricIntake::sort_out(RunWork& work, Pending& pending, Timestamp now) {
  KnownMetrics& known = *work.known;
  const MetricBatch& batch = pending.batch;
  pending.taken = {};
  const auto new_names = static_cast<std::size_t>(std::ranges::count_if(
      batch.names, [&](const std::string& name) { return !known.metrics.contains(name); }));
  if (known.metrics.size() + new_names > kNamesMax) {
    pending.failure = Error(ErrorCode::unprocessable,
                            fmt::format("a run has at most {} metrics", kNamesMax));
    return;
  }

  std::vector<KnownMetrics::Metric*> metrics;
  metrics.reserve(batch.names.size());
  for (const std::string& name : batch.names) {
    const auto [entry, is_new] = known.metrics.try_emplace(name);
    if (is_new) {
      entry->second.name_id = static_cast<std::int32_t>(known.metrics.size() - 1);
      work.names.push_back({known.run, known.ns, entry->second.name_id, name});
    }
    metrics.push_back(&entry->second);
  }
  for (const MetricBatch::Entry& entry : batch.entries) {
    KnownMetrics::Metric& metric = *metrics[entry.name];
    const MetricPoint point{.name_id = metric.name_id,
                            .time_given = entry.time.has_value(),
                            .step = entry.step,
                            .value = entry.value,
                            .time = entry.time.value_or(now)};
    switch (metric.judge(point)) {
      case KnownMetrics::Verdict::is_new:
        metric.remember(point);
        work.points.push_back(point);
        ++pending.taken.accepted;
        break;
      case KnownMetrics::Verdict::is_there: ++pending.taken.duplicates; break;
      case KnownMetrics::Verdict::unknown:
        work.undecided.push_back({&pending, point});
        break;
    }
  }
}

// Twins of one step are sorted out alike, unless the memory has forgotten the step between
// them: then the first was taken as new, and the second is undecided.
void MetricIntake::settle_undecided(RunWork& work) {
  if (work.undecided.empty()) return;
  PointSet asked;
  for (const auto& undecided : work.undecided) asked.insert(undecided.point);
  PointSet there = state_->database.read("look for metrics", [&](schema::Transaction& tx) {
    return find_stored(tx, work.known->run, asked);
  });
  for (const MetricPoint& point : work.points) {
    if (asked.contains(point)) there.insert(point);
  }
  for (const auto& [pending, point] : work.undecided) {
    if (!there.insert(point).second) {
      ++pending->taken.duplicates;
      continue;
    }
    work.points.push_back(point);
    ++pending->taken.accepted;
  }
}

void MetricIntake::answer_for_closed(RunWork& work) {
  for (Pending* const pending : work.pending) {
    const MetricBatch& batch = pending->batch;
    PointSet asked;
    bool all_known = true;
    for (const MetricBatch::Entry& entry : batch.entries) {
      const auto metric = work.known->metrics.find(batch.names[entry.name]);
      all_known = all_known && metric != work.known->metrics.end();
      if (!all_known) break;
      asked.insert({.name_id = metric->second.name_id,
                    .time_given = entry.time.has_value(),
                    .step = entry.step,
                    .value = entry.value,
                    .time = entry.time.value_or(Timestamp())});
    }
    if (all_known) {
      const PointSet stored = state_->database.read(
          "look for metrics",
          [&](schema::Transaction& tx) { return find_stored(tx, work.known->run, asked); });
      all_known = stored.size() == asked.size();
    }
    if (all_known) {
      pending->taken = {0, batch.entries.size()};
    } else {
      pending->failure = run_has_ended();
    }
  }
}

}  // namespace mendel::registry
