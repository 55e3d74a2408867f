#include "registry/services/runs.h"

#include <spdlog/spdlog.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "registry/services/inputs.h"
#include "registry/services/jobs/attempt_fence.h"
#include "registry/services/namespace_rows.h"
#include "registry/services/past.h"
#include "schema/metrics.h"
#include "schema/versions.h"
#include "storage/base/error.h"
#include "storage/base/lru_cache.h"
#include "storage/base/uuid.h"

namespace mendel::registry {

namespace {

constexpr std::size_t kIdentitiesMax = 64 * 1024;
constexpr std::int64_t kMarkedMax = 1000;  // in one transaction
constexpr int kHeartbeatsMissedMax = 3;

schema::RunRow lock(schema::Transaction& tx, std::string_view uuid) {
  auto run = schema::lock_run(tx, uuid);
  if (!run) throw no_run(uuid);
  return std::move(*run);
}

std::string merged(const std::string& object, const std::string& changes) {
  auto result = nlohmann::json::parse(object);
  result.update(nlohmann::json::parse(changes));
  return result.dump();
}

[[noreturn]] void refuse(const std::string& why) {
  throw Error(ErrorCode::already_exists, why);
}

// How the run stands after the change; throws where it ended otherwise before.
schema::RunEnd state_after(const schema::RunRow& run, const RunService::Change& change,
                           Timestamp now) {
  schema::RunEnd end{run.status, run.finished_at, run.exit_status};
  const std::string& wanted = change.status.value_or(run.status);
  if (has_ended(run)) {
    if (wanted != run.status) {
      refuse("the run is " + run.status + ", which is for ever: it cannot become " +
             wanted);
    }
    if (change.finished_at && change.finished_at != run.finished_at) {
      refuse("the run has ended at " + format_rfc3339(*run.finished_at));
    }
    if (change.exit_status && run.exit_status && change.exit_status != run.exit_status) {
      refuse("the run has ended with exit status " + std::to_string(*run.exit_status));
    }
    if (change.exit_status) end.exit_status = change.exit_status;
    return end;
  }
  end.status = wanted;
  if (change.exit_status) end.exit_status = change.exit_status;
  const bool ends = wanted != "running" && wanted != "lost";
  if (change.finished_at && !ends) {
    throw Error(ErrorCode::unprocessable,
                "finished_at goes with the status finished, failed or killed",
                {{"/finished_at", "goes with the status finished, failed or killed"}});
  }
  if (change.finished_at) require_past(*change.finished_at, now, "/finished_at");
  if (ends) {
    end.finished_at = change.finished_at.value_or(std::max(now, run.started_at));
    if (*end.finished_at < run.started_at) {
      throw Error(
          ErrorCode::unprocessable,
          "finished_at is before the run started, " + format_rfc3339(run.started_at),
          {{"/finished_at", "is before the run started"}});
    }
  }
  return end;
}

}  // namespace

Error no_run(std::string_view uuid) {
  return Error(ErrorCode::not_found, "no run " + std::string(uuid));
}

bool has_ended(const schema::RunRow& run) { return run.finished_at.has_value(); }

struct RunService::State {
  State(schema::Database& database, MetricFolding& folding, const Clock& clock)
      : database(database), folding(folding), clock(clock) {}

  schema::Database& database;
  MetricFolding& folding;
  const Clock& clock;
  LruCache<std::string, const Identity> identities{kIdentitiesMax};
};

RunService::RunService(schema::Database& database, MetricFolding& folding,
                       const Clock& clock)
    : state_(std::make_unique<State>(database, folding, clock)) {}
RunService::~RunService() = default;

std::optional<RunService::Identity> RunService::find_identity(std::string_view uuid) {
  const std::string key(uuid);
  if (const auto known = state_->identities.find(key)) return *known;
  if (!is_uuid(uuid)) return std::nullopt;
  const auto run = state_->database.read(
      "find a run", [&](schema::Transaction& tx) { return schema::find_run(tx, uuid); });
  if (!run) return std::nullopt;
  const Identity identity{
      key, run->id, run->namespace_id, run->namespace_name, run->job_id, run->job_attempt};
  state_->identities.put(key, std::make_shared<const Identity>(identity), 1);
  return identity;
}

std::optional<schema::RunRow> RunService::find_earlier(std::string_view uuid,
                                                       const Digest& request) {
  auto run = state_->database.read(
      "find a run", [&](schema::Transaction& tx) { return schema::find_run(tx, uuid); });
  if (run && run->request_digest != request) {
    throw Error(ErrorCode::unprocessable, "this id was used for another run before",
                {{"/id", "was used for another run before"}});
  }
  return run;
}

RunService::Created RunService::create(const Caller& caller, NamespaceId ns,
                                       const Request& request) {
  const Timestamp now = state_->clock.now();
  if (request.started_at) require_past(*request.started_at, now, "/started_at");
  const std::string uuid = request.uuid.value_or(make_uuid_v7(now));
  schema::NewRun run{.uuid = uuid,
                     .namespace_id = ns,
                     .name = request.name.text(),
                     .request_digest = request.digest,
                     .created_by = caller.name,
                     .created_at = now,
                     .started_at = request.started_at.value_or(now),
                     .heartbeat_seconds = request.heartbeat_seconds,
                     .heartbeat_at = std::nullopt,
                     .lost_after = std::nullopt,
                     .hyperparameters_digest = std::nullopt,
                     .source = request.source,
                     .labels = request.labels,
                     .message = request.message,
                     .command = request.command,
                     .directory = request.directory,
                     .keep_rule = request.keep.text()};
  if (request.heartbeat_seconds) {
    run.heartbeat_at = now;
    run.lost_after =
        now + kHeartbeatsMissedMax * std::chrono::seconds(*request.heartbeat_seconds);
  }
  if (request.hyperparameters) {
    run.hyperparameters_digest = Digest::of(*request.hyperparameters);
  }

  const bool is_new =
      state_->database.transact("start a run", [&](schema::Transaction& tx) {
        if (request.hyperparameters) {
          schema::insert_hyperparameters_if_absent(tx, ns, *run.hyperparameters_digest,
                                                   *request.hyperparameters);
        }
        const auto id = schema::insert_run(tx, run);
        if (id) {
          record_run_of_attempt(tx, caller, *id, run.uuid);
          hold_targets(tx, request.inputs);
          schema::insert_run_inputs(tx, *id, request.inputs);
        }
        return id.has_value();
      });
  return {*find_earlier(uuid, request.digest), is_new};
}

schema::RunRow RunService::get(std::string_view uuid) {
  if (!is_uuid(uuid)) throw no_run(uuid);
  auto run = state_->database.read(
      "find a run", [&](schema::Transaction& tx) { return schema::find_run(tx, uuid); });
  if (!run) throw no_run(uuid);
  return std::move(*run);
}

std::vector<std::string> RunService::outputs(std::string_view uuid) {
  return state_->database.read("list what a run made", [&](schema::Transaction& tx) {
    return schema::list_run_outputs(tx, uuid, kOutputsShownMax);
  });
}

Page<schema::RunRow> RunService::list(const Caller& caller, const schema::RunFilter& filter,
                                      const PageRequest& page) {
  auto rows = state_->database.read("list runs", [&](schema::Transaction& tx) {
    return schema::list_runs(tx, viewer_for(caller), filter, id_after(page),
                             static_cast<std::int64_t>(page.limit) + 1);
  });
  return page_of<schema::RunRow>(
      std::move(rows), page, [](const schema::RunRow& row) { return row; },
      [](const schema::RunRow& row) { return std::to_string(row.id); });
}

void RunService::change(const Caller& caller, std::string_view uuid, const Change& change) {
  struct Done {
    RunId run;
    bool ended;
  };
  const Done done = state_->database.transact("change a run", [&](schema::Transaction& tx) {
    require_live_attempt(tx, caller);
    const schema::RunRow run = lock(tx, uuid);
    const auto end = state_after(run, change, state_->clock.now());
    schema::update_run_state(tx, run.id, end);
    if (change.labels) schema::update_run_labels(tx, run.id, *change.labels);
    if (change.resources) {
      schema::update_run_resources(tx, run.id, merged(run.resources, *change.resources));
    }
    if (run.status == "lost" && end.status == "running") {
      schema::record_heartbeat(tx, run.id, state_->clock.now());
    }
    if (end.finished_at) schema::close_metric_log(tx, run.id);
    return Done{run.id, end.finished_at.has_value()};
  });
  if (done.ended) state_->folding.settle(done.run);
}

std::string RunService::record_heartbeat(const Caller& caller, std::string_view uuid) {
  return state_->database.transact("record a heartbeat", [&](schema::Transaction& tx) {
    require_live_attempt(tx, caller);
    return schema::record_heartbeat(tx, lock(tx, uuid).id, state_->clock.now());
  });
}

void RunService::mark_lost() {
  std::vector<std::string> lost;
  do {
    lost = state_->database.transact("mark lost runs", [&](schema::Transaction& tx) {
      return schema::mark_lost_runs(tx, state_->clock.now(), kMarkedMax);
    });
    for (const std::string& uuid : lost) spdlog::info("run {} is lost", uuid);
  } while (static_cast<std::int64_t>(lost.size()) == kMarkedMax);
}

}  // namespace mendel::registry
