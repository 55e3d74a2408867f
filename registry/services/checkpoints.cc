#include "registry/services/checkpoints.h"

#include <fmt/format.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "registry/services/jobs/attempt_fence.h"
#include "storage/base/error.h"

namespace mendel::registry {

namespace {

Error no_checkpoint(std::string_view selector) {
  return Error(ErrorCode::not_found,
               fmt::format("the run has no checkpoint '{}'", selector));
}

double number_of(const nlohmann::json& value) {
  if (value.is_number()) return value.get<double>();
  if (value == "Infinity") return std::numeric_limits<double>::infinity();
  if (value == "-Infinity") return -std::numeric_limits<double>::infinity();
  return std::numeric_limits<double>::quiet_NaN();
}

std::vector<RuledCheckpoint> ruled(const std::vector<schema::CheckpointRow>& rows) {
  std::vector<RuledCheckpoint> checkpoints;
  for (const auto& row : rows) {
    RuledCheckpoint& checkpoint = checkpoints.emplace_back();
    checkpoint.step = row.step;
    checkpoint.is_published = row.published;
    const auto metrics = nlohmann::json::parse(row.metrics);
    for (const auto& [name, value] : metrics.items()) {
      checkpoint.metrics.emplace(name, number_of(value));
    }
  }
  return checkpoints;
}

void apply_keep_rule(schema::Transaction& tx, const schema::RunRow& run) {
  if (run.keep_rule.empty()) return;
  const auto kept = schema::list_kept_checkpoints(tx, run.id);
  std::vector<std::int64_t> steps;
  for (const std::size_t i : KeepRule::parse(run.keep_rule).dropped(ruled(kept))) {
    steps.push_back(kept[i].step);
  }
  schema::drop_checkpoints(tx, run.id, steps);
}

// Whether it is the checkpoint that was sent again; throws where it is another one.
void require_same(const schema::CheckpointRow& stored, const schema::CheckpointRow& sent) {
  const bool same = stored.digest == sent.digest && nlohmann::json::parse(stored.metrics) ==
                                                        nlohmann::json::parse(sent.metrics);
  if (same) return;
  throw Error(ErrorCode::already_exists,
              fmt::format("the run has another checkpoint of step {}, {}: its content or "
                          "its metrics differ",
                          stored.step, stored.digest.to_string()));
}

schema::RunRow lock_run(schema::Transaction& tx, const RunService::Identity& run) {
  auto row = schema::lock_run(tx, run.uuid);
  if (!row) throw no_run(run.uuid);
  return std::move(*row);
}

void require_going_on(const schema::RunRow& run) {
  if (!has_ended(run)) return;
  throw Error(ErrorCode::already_exists,
              "the run is " + run.status + ": it takes no more checkpoints");
}

}  // namespace

schema::CheckpointRow get_checkpoint(schema::Transaction& tx, RunId run,
                                     const CheckpointSelector& selector) {
  if (const auto* wanted = std::get_if<CheckpointSelector::Step>(&selector.value())) {
    auto row = schema::find_checkpoint(tx, run, wanted->step);
    if (!row) throw no_checkpoint(selector.text());
    return std::move(*row);
  }
  auto kept = schema::list_kept_checkpoints(tx, run);
  if (kept.empty()) throw no_checkpoint(selector.text());
  if (std::holds_alternative<CheckpointSelector::Last>(selector.value()))
    return std::move(kept.back());
  const auto& best = std::get<CheckpointSelector::Best>(selector.value());
  const auto sorted = by_metric(ruled(kept), best.metric, best.better);
  if (sorted.empty()) throw no_checkpoint(selector.text());
  return std::move(kept[sorted.front()]);
}

// A run that has ended is refused before anything is stored; whether it goes on is asked
// again once it is locked.
CheckpointService::Added CheckpointService::add(const Caller& caller,
                                                const RunService::Identity& run,
                                                const Request& request) {
  const auto before = database_.read("look for a checkpoint", [&](schema::Transaction& tx) {
    const auto row = schema::find_run(tx, run.uuid);
    if (!row) throw no_run(run.uuid);
    auto known = schema::find_checkpoint(tx, run.id, request.step);
    if (!known) require_going_on(*row);
    return known;
  });
  const auto stored =
      request.manifest
          ? manifests_.store(caller, run.ns, *request.manifest, {})
          : manifests_.adopt(caller, run.ns, request.kind, *request.manifest_digest);
  const schema::CheckpointRow checkpoint{
      .step = request.step,
      .digest = stored.digest,
      .kind = std::string(storage::to_string(request.kind)),
      .size_bytes = static_cast<std::int64_t>(stored.size_bytes),
      .file_count = static_cast<std::int64_t>(stored.file_count),
      .metrics = request.metrics,
      .state = "kept",
      .published = false,
      .created_at = clock_.now(),
      .created_by = caller.name};
  if (before) {
    require_same(*before, checkpoint);
    return {*before, false};
  }
  return database_.transact("add a checkpoint", [&](schema::Transaction& tx) {
    require_live_attempt(tx, caller);
    const schema::RunRow row = lock_run(tx, run);
    if (auto known = schema::find_checkpoint(tx, run.id, request.step)) {
      require_same(*known, checkpoint);
      return Added{std::move(*known), false};
    }
    require_going_on(row);
    schema::insert_checkpoint(tx, {run.id, run.ns}, checkpoint);
    apply_keep_rule(tx, row);
    return Added{*schema::find_checkpoint(tx, run.id, request.step), true};
  });
}

Page<schema::CheckpointRow> CheckpointService::list(RunId run, const PageRequest& page) {
  auto rows = database_.read("list checkpoints", [&](schema::Transaction& tx) {
    return schema::list_checkpoints(tx, run, id_after(page),
                                    static_cast<std::int64_t>(page.limit) + 1);
  });
  return page_of<schema::CheckpointRow>(
      std::move(rows), page, [](const schema::CheckpointRow& row) { return row; },
      [](const schema::CheckpointRow& row) { return std::to_string(row.step); });
}

schema::CheckpointRow CheckpointService::get(RunId run,
                                             const CheckpointSelector& selector) {
  return database_.read("find a checkpoint", [&](schema::Transaction& tx) {
    return get_checkpoint(tx, run, selector);
  });
}

}  // namespace mendel::registry
