#include "schema/metrics.h"

#include "schema/transaction.h"

namespace mendel::schema {

namespace {

constexpr Statement kFindMetricLog{"find_metric_log", R"sql(
  select l.run_id, r.namespace_id, l.block_count, l.point_count, l.name_count,
         l.folded_count, l.compacted_count, l.compacted_points, l.closed, l.settled
    from metric_log l join run r on r.id = l.run_id
   where l.run_id = $1
)sql"};

constexpr Statement kCloseMetricLog{"close_metric_log", R"sql(
  update metric_log set closed = true where run_id = $1
)sql"};

// The update is what makes a run's blocks follow each other without a gap, whoever adds
// them.
constexpr Statement kAppendMetricBlocks{"append_metric_blocks", R"sql(
  with new as (
    select run_id, number, name_count, point_count, points
      from unnest($1::bigint[], $2::bigint[], $3::integer[], $4::integer[], $5::bytea[])
           as n (run_id, number, name_count, point_count, points)
  ), taken as (
    update metric_log l
       set block_count = l.block_count + 1,
           point_count = l.point_count + new.point_count,
           name_count = new.name_count
      from new
     where l.run_id = new.run_id and l.block_count = new.number and not l.closed
    returning new.run_id, new.number, new.point_count, new.points
  )
  insert into metric_block (run_id, number, point_count, points)
  select run_id, number, point_count, points from taken
  returning run_id
)sql"};

constexpr Statement kInsertRunMetrics{"insert_run_metrics", R"sql(
  insert into run_metric (run_id, namespace_id, name_id, name)
  select run_id, namespace_id, name_id, name
    from unnest($1::bigint[], $2::bigint[], $3::integer[], $4::text[])
         as new (run_id, namespace_id, name_id, name)
)sql"};

constexpr Statement kListMetricBlocks{"list_metric_blocks", R"sql(
  select number, point_count, points
    from (select number, point_count, points,
                 sum(point_count) over (order by number) - point_count as points_before
            from metric_block
           where run_id = $1 and number >= $2 and number < $3
           order by number
           limit $4) b
   where points_before < $4
   order by number
)sql"};

constexpr Statement kDeleteMetricBlocks{"delete_metric_blocks", R"sql(
  delete from metric_block where run_id = $1 and number >= $2 and number < $3
)sql"};

constexpr Statement kInsertMetricSegments{"insert_metric_segments", R"sql(
  insert into metric_segment (run_id, name_id, number, first_step, last_step, point_count,
                              points)
  select $1::bigint, name_id, number, first_step, last_step, point_count, points
    from unnest($2::integer[], $3::bigint[], $4::bigint[], $5::bigint[], $6::integer[],
                $7::bytea[])
         as new (name_id, number, first_step, last_step, point_count, points)
)sql"};

constexpr Statement kListMetricSegments{"list_metric_segments", R"sql(
  select name_id, number, first_step, last_step, point_count, points
    from metric_segment
   where run_id = $1 and name_id = $2 and number > $5
     and first_step <= $4 and last_step >= $3
   order by number
   limit $6
)sql"};

constexpr Statement kFindMetricSteps{"find_metric_steps", R"sql(
  select min(first_step) as first, max(last_step) as last
    from metric_segment where run_id = $1 and name_id = $2
)sql"};

#define MENDEL_RUN_METRICS                                                          \
  "select name_id, name, point_count, last_step, last_value, last_time, min_step, " \
  "min_value, min_time, max_step, max_value, max_time from run_metric where run_id = $1 "

constexpr Statement kListRunMetrics{"list_run_metrics",
                                    MENDEL_RUN_METRICS "order by name_id"};

constexpr Statement kFindRunMetric{"find_run_metric", MENDEL_RUN_METRICS "and name = $2"};

constexpr Statement kFindRunMetrics{"find_run_metrics", MENDEL_RUN_METRICS
                                    "and name_id = any ($2::integer[]) order by name_id"};

#undef MENDEL_RUN_METRICS

constexpr Statement kUpdateRunMetrics{"update_run_metrics", R"sql(
  update run_metric m
     set point_count = new.point_count, last_step = new.last_step,
         last_value = new.last_value, last_time = new.last_time, min_step = new.min_step,
         min_value = new.min_value, min_time = new.min_time, max_step = new.max_step,
         max_value = new.max_value, max_time = new.max_time
    from unnest($2::integer[], $3::bigint[], $4::bigint[], $5::float8[], $6::timestamptz[],
                $7::bigint[], $8::float8[], $9::timestamptz[], $10::bigint[],
                $11::float8[], $12::timestamptz[])
         as new (name_id, point_count, last_step, last_value, last_time, min_step,
                 min_value, min_time, max_step, max_value, max_time)
   where m.run_id = $1 and m.name_id = new.name_id
)sql"};

// The first number keeps these locks apart from all others; where two runs share one, one
// of them is folded a moment later.
constexpr Statement kTryLockMetricFolding{"try_lock_metric_folding", R"sql(
  select pg_try_advisory_xact_lock(5, hashint8($1)) as locked
)sql"};

constexpr Statement kLockMetricFolding{"lock_metric_folding", R"sql(
  select pg_advisory_xact_lock(5, hashint8($1))
)sql"};

constexpr Statement kUpdateMetricLog{"update_metric_log", R"sql(
  update metric_log
     set folded_count = $2, compacted_count = $3, compacted_points = $4, settled = $5
   where run_id = $1
)sql"};

constexpr Statement kListUnfoldedRuns{"list_unfolded_runs", R"sql(
  select run_id
    from metric_log
   where not settled and run_id > $1 and (folded_count < block_count or closed)
   order by run_id
   limit $2
)sql"};

std::optional<MetricPointRow> point(const Row& row, const char* step, const char* value,
                                    const char* time) {
  const auto at_step = at<std::optional<std::int64_t>>(row, step);
  if (!at_step) return std::nullopt;
  return MetricPointRow{*at_step, at<double>(row, value), at<Timestamp>(row, time)};
}

RunMetricRow metric(const Row& row) {
  return {.name_id = at<std::int32_t>(row, "name_id"),
          .name = at<std::string>(row, "name"),
          .point_count = at<std::int64_t>(row, "point_count"),
          .last = point(row, "last_step", "last_value", "last_time"),
          .min = point(row, "min_step", "min_value", "min_time"),
          .max = point(row, "max_step", "max_value", "max_time")};
}

std::vector<RunMetricRow> metrics(const Rows& rows) {
  std::vector<RunMetricRow> found;
  found.reserve(std::size_t(rows.size()));
  for (const Row& row : rows) found.push_back(metric(row));
  return found;
}

// One column of the points: array_of(metrics, column(&RunMetricRow::last, &…::step)).
template <class Value>
auto column(std::optional<MetricPointRow> RunMetricRow::*point,
            Value MetricPointRow::*member) {
  return [=](const RunMetricRow& row) -> std::optional<Value> {
    const auto& held = row.*point;
    if (!held) return std::nullopt;
    return (*held).*member;
  };
}

}  // namespace

std::optional<MetricLogRow> find_metric_log(Transaction& tx, std::int64_t run_id) {
  const auto row = tx.exec_optional(kFindMetricLog, run_id);
  if (!row) return std::nullopt;
  return MetricLogRow{.run_id = at<std::int64_t>(*row, "run_id"),
                      .namespace_id = at<std::int64_t>(*row, "namespace_id"),
                      .block_count = at<std::int64_t>(*row, "block_count"),
                      .point_count = at<std::int64_t>(*row, "point_count"),
                      .name_count = at<std::int32_t>(*row, "name_count"),
                      .folded_count = at<std::int64_t>(*row, "folded_count"),
                      .compacted_count = at<std::int64_t>(*row, "compacted_count"),
                      .compacted_points = at<std::int64_t>(*row, "compacted_points"),
                      .closed = at<bool>(*row, "closed"),
                      .settled = at<bool>(*row, "settled")};
}

void close_metric_log(Transaction& tx, std::int64_t run_id) {
  tx.exec(kCloseMetricLog, run_id);
}

std::vector<std::int64_t> append_metric_blocks(Transaction& tx,
                                               std::span<const NewMetricBlock> blocks) {
  std::vector<std::int64_t> runs;
  for (const Row& row :
       tx.exec(kAppendMetricBlocks, array_of(blocks, &NewMetricBlock::run_id),
               array_of(blocks, &NewMetricBlock::number),
               array_of(blocks, &NewMetricBlock::name_count),
               array_of(blocks, &NewMetricBlock::point_count),
               array_of(blocks, &NewMetricBlock::points))) {
    runs.push_back(at<std::int64_t>(row, "run_id"));
  }
  return runs;
}

void insert_run_metrics(Transaction& tx, std::span<const NewRunMetric> metrics) {
  if (metrics.empty()) return;
  tx.exec(kInsertRunMetrics, array_of(metrics, &NewRunMetric::run_id),
          array_of(metrics, &NewRunMetric::namespace_id),
          array_of(metrics, &NewRunMetric::name_id),
          array_of(metrics, &NewRunMetric::name));
}

std::vector<MetricBlockRow> list_metric_blocks(Transaction& tx, std::int64_t run_id,
                                               std::int64_t first, std::int64_t end,
                                               std::int64_t points_max) {
  std::vector<MetricBlockRow> blocks;
  for (const Row& row : tx.exec(kListMetricBlocks, run_id, first, end, points_max)) {
    blocks.push_back({at<std::int64_t>(row, "number"), at<std::int32_t>(row, "point_count"),
                      at<std::vector<std::byte>>(row, "points")});
  }
  return blocks;
}

void delete_metric_blocks(Transaction& tx, std::int64_t run_id, std::int64_t first,
                          std::int64_t end) {
  tx.exec(kDeleteMetricBlocks, run_id, first, end);
}

void insert_metric_segments(Transaction& tx, std::int64_t run_id,
                            std::span<const MetricSegmentRow> segments) {
  if (segments.empty()) return;
  tx.exec(kInsertMetricSegments, run_id, array_of(segments, &MetricSegmentRow::name_id),
          array_of(segments, &MetricSegmentRow::number),
          array_of(segments, &MetricSegmentRow::first_step),
          array_of(segments, &MetricSegmentRow::last_step),
          array_of(segments, &MetricSegmentRow::point_count),
          array_of(segments, &MetricSegmentRow::points));
}

std::vector<MetricSegmentRow> list_metric_segments(Transaction& tx, std::int64_t run_id,
                                                   std::int32_t name_id, StepRange steps,
                                                   std::int64_t after, std::int64_t limit) {
  std::vector<MetricSegmentRow> segments;
  for (const Row& row : tx.exec(kListMetricSegments, run_id, name_id, steps.first,
                                steps.last, after, limit)) {
    segments.push_back({.name_id = at<std::int32_t>(row, "name_id"),
                        .number = at<std::int64_t>(row, "number"),
                        .first_step = at<std::int64_t>(row, "first_step"),
                        .last_step = at<std::int64_t>(row, "last_step"),
                        .point_count = at<std::int32_t>(row, "point_count"),
                        .points = at<std::vector<std::byte>>(row, "points")});
  }
  return segments;
}

std::optional<StepRange> find_metric_steps(Transaction& tx, std::int64_t run_id,
                                           std::int32_t name_id) {
  const Row row = tx.exec_one(kFindMetricSteps, run_id, name_id);
  const auto first = at<std::optional<std::int64_t>>(row, "first");
  if (!first) return std::nullopt;
  return StepRange{*first, at<std::int64_t>(row, "last")};
}

std::vector<RunMetricRow> list_run_metrics(Transaction& tx, std::int64_t run_id) {
  return metrics(tx.exec(kListRunMetrics, run_id));
}

std::optional<RunMetricRow> find_run_metric(Transaction& tx, std::int64_t run_id,
                                            const std::string& name) {
  const auto row = tx.exec_optional(kFindRunMetric, run_id, name);
  if (!row) return std::nullopt;
  return metric(*row);
}

std::vector<RunMetricRow> find_run_metrics(Transaction& tx, std::int64_t run_id,
                                           std::span<const std::int32_t> name_ids) {
  return metrics(tx.exec(kFindRunMetrics, run_id, array_of(name_ids)));
}

void update_run_metrics(Transaction& tx, std::int64_t run_id,
                        std::span<const RunMetricRow> metrics) {
  if (metrics.empty()) return;
  using Row = RunMetricRow;
  using Point = MetricPointRow;
  tx.exec(kUpdateRunMetrics, run_id, array_of(metrics, &Row::name_id),
          array_of(metrics, &Row::point_count),
          array_of(metrics, column(&Row::last, &Point::step)),
          array_of(metrics, column(&Row::last, &Point::value)),
          array_of(metrics, column(&Row::last, &Point::time)),
          array_of(metrics, column(&Row::min, &Point::step)),
          array_of(metrics, column(&Row::min, &Point::value)),
          array_of(metrics, column(&Row::min, &Point::time)),
          array_of(metrics, column(&Row::max, &Point::step)),
          array_of(metrics, column(&Row::max, &Point::value)),
          array_of(metrics, column(&Row::max, &Point::time)));
}

bool try_lock_metric_folding(Transaction& tx, std::int64_t run_id) {
  return at<bool>(tx.exec_one(kTryLockMetricFolding, run_id), "locked");
}

void lock_metric_folding(Transaction& tx, std::int64_t run_id) {
  tx.exec(kLockMetricFolding, run_id);
}

void update_metric_log(Transaction& tx, const MetricLogRow& progress) {
  tx.exec(kUpdateMetricLog, progress.run_id, progress.folded_count,
          progress.compacted_count, progress.compacted_points, progress.settled);
}

std::vector<std::int64_t> list_unfolded_runs(Transaction& tx, std::int64_t after,
                                             std::int64_t limit) {
  std::vector<std::int64_t> runs;
  for (const Row& row : tx.exec(kListUnfoldedRuns, after, limit)) {
    runs.push_back(at<std::int64_t>(row, "run_id"));
  }
  return runs;
}

}  // namespace mendel::schema
