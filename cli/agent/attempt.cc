// The phases, and what may be done again in each:
//
//   laying out   all of it: what was there is removed first
//
//   starting     the run has an id of ours; the runner knows whether the command was
//                started
//
//   running      looking
//
//   publishing   what was sent is not sent again; the version has an idempotency key
//
//   finishing    the server takes it once, and refuses another as it refuses a lost lease

#include "cli/agent/attempt.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/agent/attempt_layout.h"
#include "cli/agent/publication.h"
#include "cli/environment_record.h"
#include "cli/interrupt.h"
#include "cli/local_file.h"
#include "cli/metric_points.h"
#include "cli/output.h"
#include "cli/resource_meter.h"
#include "cli/run_recorder.h"
#include "storage/utf8.h"

namespace mendel::cli {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kRetryPause{2};
constexpr int kTriesMax = 5;  // while the server is there
constexpr int kRunHeartbeatSeconds = 60;
constexpr std::size_t kReasonSizeMax = 2000;

std::chrono::seconds lease_of(const AttemptState& state) {
  return std::chrono::seconds(std::max(state.lease().value("lease_seconds", 60), 1));
}

std::optional<std::chrono::seconds> time_max_of(const Json& lease) {
  const Json limits = lease.value("limits", Json::object());
  if (!limits.contains("timeout_seconds")) return std::nullopt;
  return std::chrono::seconds(limits["timeout_seconds"].get<std::int64_t>());
}

bool is_conflict(ErrorCode code) {
  return code == ErrorCode::already_exists || code == ErrorCode::aborted ||
         code == ErrorCode::unauthenticated || code == ErrorCode::not_found;
}

// For people, and for a server that takes no more.
std::string shortened(std::string text) {
  if (text.size() <= kReasonSizeMax) return text;
  text.resize(kReasonSizeMax);
  while (!text.empty() && !storage::is_utf8(text)) text.pop_back();
  return text + "…";
}

const char* run_status_of(const std::string& status) {
  if (status == "succeeded") return "finished";
  return status == "cancelled" ? "killed" : "failed";
}

Json resources_of(const TaskEnd& end) {
  Json resources = {{"wall_seconds", end.command.wall_seconds},
                    {"cpu_seconds", end.command.cpu_seconds}};
  if (end.command.peak_memory_bytes > 0) {
    resources["peak_memory_bytes"] = end.command.peak_memory_bytes;
  }
  if (!end.host.empty()) resources["host"] = end.host;
  return resources;
}

std::string words_for(const TaskEnd& end) {
  if (end.command.signal != 0) {
    return fmt::format("the command was ended by signal {}", end.command.signal);
  }
  return fmt::format("the command ended with status {}", end.command.exit_code);
}

}  // namespace

// What is noticed while a command runs.
struct Attempt::Watched {
  std::optional<ResourceMeter> meter;
  bool was_told = false;  // to the server, that it runs
  bool is_out_of_reach = false;
  bool is_asked_to_end = false;
  std::string why_ended = "";  // by us
  bool is_cancelled = false;
};

Attempt::Attempt(AttemptState state, AttemptFiles files, const ServerAccess& access,
                 Runner& runner, bool measures_here)
    : state_(std::move(state)),
      files_(std::move(files)),
      access_(access),
      runner_(runner),
      measures_here_(measures_here),
      was_found_running_(state_.phase == Phase::running),
      is_run_started_(state_.phase > Phase::starting && !state_.handle.empty()),
      server_(access_),
      lease_(access_, state_.job(), state_.number(), lease_of(state_)),
      log_(files_, access_, state_.job(), state_.number()) {}

AttemptOutcome Attempt::run() {
  try {
    work();
  } catch (const LeaseLost& lost) {
    // One that was to finish may have done so, and not have heard the answer.
    if (state_.phase != Phase::finishing) {
      end_command();
      return {"lost", lost.what(), "", was_disk_full_};
    }
  }
  return {text_of(state_.end, "status"), text_of(state_.end, "reason"),
          text_of(state_.end, "version"), was_disk_full_};
}

void Attempt::work() {
  while (state_.phase != Phase::finishing) {
    guard([&] {
      switch (state_.phase) {
        case Phase::laying_out: return lay_out_here();
        case Phase::starting: return start();
        case Phase::running: return watch();
        case Phase::publishing: return publish();
        case Phase::finishing: return;
      }
    });
  }
  finish();
}

void Attempt::lay_out_here() {
  std::filesystem::create_directories(files_.directory());
  std::filesystem::permissions(files_.directory(), std::filesystem::perms::owner_all);
  state_.save(files_);
  Json made_of;
  persist([&] { made_of = lay_out(state_, files_, server_, log_); });
  const Production production = production_of(state_.lease());
  made_of["id"] = state_.run;
  made_of["namespace"] = production.artifact.ns().text();
  made_of["name"] = production.artifact.name().text();
  made_of["started_at"] = time_now();
  made_of["heartbeat_seconds"] = kRunHeartbeatSeconds;
  made_of["command"] = state_.lease()["command"];
  if (state_.lease().contains("labels")) made_of["labels"] = state_.lease()["labels"];
  state_.run_body = std::move(made_of);
  enter(Phase::starting);
}

void Attempt::start() {
  const ArtifactName artifact = production_of(state_.lease()).artifact;
  const Json& inputs = state_.run_body.value("inputs", Json::array());
  const bool has_environment = std::ranges::any_of(
      inputs, [](const Json& input) { return text_of(input, "role") == "environment"; });
  if (!has_environment) {
    best_effort("the environment is not recorded", [&] {
      const std::string environment =
          push_environment(record_environment(), server_, artifact);
      state_.run_body["inputs"].push_back({{"role", "environment"}, {"ref", environment}});
    });
    state_.save(files_);
  }
  persist([&] { server_.post("/api/v1/runs", state_.run_body); });
  is_run_started_ = true;
  lease_.keep_run(state_.run);

  const Task wanted = task();
  const auto found = runner_.find(wanted);
  if (!found) log_.say("starting " + state_.run_body["command"].dump());
  state_.handle = found ? *found : runner_.start(wanted);
  enter(Phase::running);
}

Task Attempt::task() const {
  Task task{.files = files_,
            .key = state_.key(),
            .title = state_.pipeline(),
            .command = state_.lease()["command"].get<std::vector<std::string>>(),
            .variables = {},
            .time_max = time_max_of(state_.lease())};
  const Json secrets = state_.lease().value("secrets", Json::object());
  for (const auto& [name, value] : secrets.items()) {
    task.variables.emplace_back(name, value.get<std::string>());
  }
  const Name ns = production_of(state_.lease()).artifact.ns();
  for (const auto& [name, value] : Variables{{"MENDEL_URL", access_.url},
                                             {"MENDEL_TOKEN", access_.token},
                                             {"MENDEL_JOB", state_.job()},
                                             {"MENDEL_RUN", state_.run},
                                             {"MENDEL_NAMESPACE", ns.text()}}) {
    task.variables.emplace_back(name, value);
  }
  return task;
}

void Attempt::watch() {
  Watched watched;
  if (measures_here_ && !was_found_running_) watched.meter.emplace();
  lease_.keep_run(state_.run);
  while (state_.phase == Phase::running) {
    lease_.require();
    look_at(watched);
    if (state_.phase == Phase::running) sleep_unless_interrupted(runner_.pause());
  }
}

void Attempt::look_at(Watched& watched) {
  try {
    const TaskStatus status = runner_.poll(task(), state_.handle);
    using State = TaskStatus::State;
    if (status.state == State::ended || status.state == State::gone) {
      return come_to_an_end(status, watched);
    }
    if (status.state == State::running && !std::exchange(watched.was_told, true)) {
      lease_.tell_running();
    }
    if (lease_.is_cancelled() && watched.why_ended.empty()) {
      watched.why_ended = "somebody asked for the job's end";
      watched.is_cancelled = true;
    } else if (is_over_time() && watched.why_ended.empty()) {
      watched.why_ended = fmt::format("the command took longer than {} s",
                                      time_max_of(state_.lease())->count());
    }
    if (!watched.why_ended.empty() && !watched.is_asked_to_end) {
      log_.say(watched.why_ended + "; ending it");
      runner_.cancel(task(), state_.handle);
      watched.is_asked_to_end = true;
    }
    watched.is_out_of_reach = false;
  } catch (const Error& error) {
    if (!is_transient(error.code())) throw;
    if (!std::exchange(watched.is_out_of_reach, true)) log_.say(error.what());
  }
}

// The supervisor has the same limit, and knows it to the second.
bool Attempt::is_over_time() const {
  const auto time_max = time_max_of(state_.lease());
  if (!time_max || measures_here_ || !std::filesystem::exists(files_.begin())) return false;
  const auto begin_ns =
      stamp_of(open_for_reading(files_.begin()), files_.begin().string()).mtime_ns;
  return now_ns() - begin_ns > std::chrono::nanoseconds(*time_max).count();
}

void Attempt::come_to_an_end(const TaskStatus& status, Watched& watched) {
  std::filesystem::remove(files_.environment());
  if (status.end) {
    state_.end["exit_status"] = status.end->command.status();
    state_.end["resources"] = watched.meter ? watched.meter->resources(status.end->command)
                                            : resources_of(*status.end);
  }
  if (status.end && status.end->succeeded()) return enter(Phase::publishing);
  if (watched.is_cancelled) return end_as("cancelled", watched.why_ended);
  if (!watched.why_ended.empty()) return end_as("failed", watched.why_ended);
  if (!status.end) {
    runner_.cancel(task(), state_.handle);
    return end_as("failed", status.reason);
  }
  if (status.end->ending == Ending::by_time) {
    return end_as("failed", fmt::format("the command took longer than {} s",
                                        time_max_of(state_.lease())->count()));
  }
  end_as("failed", words_for(*status.end));
}

void Attempt::publish() {
  if (lease_.is_cancelled()) {
    return end_as("cancelled", "somebody asked for the job's end");
  }
  lease_.keep_run(state_.run);
  persist([&] { state_.end["version"] = publish_outputs(state_, files_, server_, log_); });
  end_as("succeeded", "");
}

// The log first, as the token is worth nothing afterwards.
void Attempt::finish() {
  const std::string status = text_of(state_.end, "status");
  best_effort("the log is not complete", [&] { log_.flush(); });
  if (is_run_started_) {
    Json body = {{"status", run_status_of(status)}};
    for (const char* name : {"exit_status", "resources"}) {
      if (state_.end.contains(name)) body[name] = state_.end[name];
    }
    best_effort("the end of the run is not recorded",
                [&] { server_.patch(run_path(state_.run), body); });
  }
  Json body = state_.end;
  body["attempt"] = state_.number();
  persist([&] { server_.post("/api/v1/jobs/" + state_.job() + "/finish", body); });
}

// What the server refuses of this is no reason to give the attempt up.
void Attempt::best_effort(const char* otherwise, const std::function<void()>& request) {
  try {
    persist(request);
  } catch (const LeaseLost&) {
    throw;
  } catch (const Error& error) {
    throw_if_interrupted();
    log_.say(fmt::format("{}: {}", otherwise, error.what()));
    fmt::print(stderr, "mendel: {}: {}: {}\n", title_of(state_), otherwise, error.what());
  }
}

void Attempt::enter(Phase phase) {
  state_.phase = phase;
  state_.save(files_);
}

void Attempt::end_as(const std::string& status, const std::string& reason) {
  state_.end["status"] = status;
  if (!reason.empty()) {
    state_.end["reason"] = shortened(reason);
    log_.say(reason);
  }
  enter(Phase::finishing);
}

// What a step throws ends the attempt; but for a lease that is lost, and an agent that is
// to end.
void Attempt::guard(const std::function<void()>& step) {
  try {
    if (lease_.is_cancelled() && state_.handle.empty()) {
      return end_as("cancelled", "somebody asked for the job's end");
    }
    step();
  } catch (const LeaseLost&) {
    throw;
  } catch (const std::exception& error) {
    throw_if_interrupted();
    const auto* known = dynamic_cast<const Error*>(&error);
    was_disk_full_ = known && known->code() == ErrorCode::out_of_space;
    const std::string reason = was_disk_full_
                                   ? std::string("the disk is full here: ") + error.what()
                                   : std::string(error.what());
    // A disk that is full may not even take this: it is told all the same.
    try {
      end_as("failed", reason);
    } catch (const Error&) {
      state_.phase = Phase::finishing;
    }
  }
}

// A request that fails because the server is away is repeated until it is back; one that is
// refused may be because the lease is lost.
void Attempt::persist(const std::function<void()>& request) {
  for (int tries = 1;; ++tries) {
    lease_.require();
    throw_if_interrupted();
    try {
      return request();
    } catch (const Error& error) {
      if (is_conflict(error.code())) lease_.require_now();
      if (!is_transient(error.code())) throw;
      if (!lease_.is_away() && tries >= kTriesMax) throw;
    }
    sleep_unless_interrupted(kRetryPause);
  }
}

// Nothing of an attempt that is lost may go on.
void Attempt::end_command() {
  try {
    const auto handle =
        state_.handle.empty() ? runner_.find(task()) : std::optional(state_.handle);
    if (!handle) return;
    runner_.cancel(task(), *handle);
    for (;;) {
      const TaskStatus status = runner_.poll(task(), *handle);
      if (status.state == TaskStatus::State::ended ||
          status.state == TaskStatus::State::gone) {
        return;
      }
      sleep_unless_interrupted(runner_.pause());
    }
  } catch (const Error& error) {
    throw_if_interrupted();
    fmt::print(stderr, "mendel: {}: {}\n", title_of(state_), error.what());
  }
}

}  // namespace mendel::cli
