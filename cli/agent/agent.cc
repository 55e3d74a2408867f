#include "cli/agent/agent.h"

#include <fmt/core.h>

#include "cli/interrupt.h"
#include "cli/output.h"

namespace mendel::cli {

namespace {

constexpr int kWaitSeconds = 30;
constexpr std::chrono::seconds kPauseAfterFailure{3};
constexpr std::chrono::milliseconds kLookForInterrupt{200};

}  // namespace

Agent::Agent(AgentSettings settings, ServerAccess access, Runner& runner,
             bool measures_here, WorkDirectory directory)
    : settings_(std::move(settings)),
      access_(std::move(access)),
      runner_(runner),
      measures_here_(measures_here),
      directory_(std::move(directory)),
      server_(access_) {}

Agent::~Agent() = default;

std::optional<AttemptOutcome> Agent::run() {
  try {
    auto unfinished = directory_.unfinished();
    const bool has_one = !unfinished.empty();
    for (AttemptState& state : unfinished) begin(std::move(state));
    if (settings_.once && has_one) return wait_for_outcome();
    for (;;) {
      wait_for_slot();
      auto job = lease();
      if (!job) continue;
      begin(AttemptState(std::move(*job)));
      if (settings_.once) return wait_for_outcome();
    }
  } catch (const Error& error) {
    if (error.code() != ErrorCode::cancelled || !interrupted()) throw;
    return std::nullopt;
  }
}

// One that ended makes room for its thread, too.
void Agent::begin(AttemptState state) {
  const std::lock_guard lock(mutex_);
  ++busy_;
  threads_.emplace_back([this, state = std::move(state)] { carry_out(state); });
}

void Agent::carry_out(const AttemptState& state) {
  const std::string title = title_of(state);
  std::optional<AttemptOutcome> outcome;
  try {
    const AttemptFiles files = directory_.files_of(state);
    ServerAccess access = access_;
    access.token = state.token();
    fmt::print(stderr, "mendel: {}: begins\n", title);
    outcome = Attempt(state, files, access, runner_, measures_here_).run();
    fmt::print(stderr, "mendel: {}: {}{}{}\n", title, outcome->status,
               outcome->version.empty() ? "" : ", " + outcome->version,
               outcome->reason.empty() ? "" : ": " + printable(outcome->reason));
    const bool is_worth_a_look = outcome->status == "failed" && !outcome->was_disk_full;
    is_worth_a_look ? directory_.keep(files) : directory_.remove(files);
  } catch (const std::exception& error) {
    if (!interrupted()) fmt::print(stderr, "mendel: {}: {}\n", title, error.what());
  }
  const std::lock_guard lock(mutex_);
  --busy_;
  if (outcome) outcome_ = std::move(outcome);
  changed_.notify_all();
}

// nullopt: there is none now, or no server.
std::optional<Json> Agent::lease() {
  const Json body = {{"queue", settings_.queue},
                     {"agent", settings_.name},
                     {"wait_seconds", kWaitSeconds},
                     {"lease_seconds", settings_.lease_seconds}};
  try {
    Json answer = server_.ask("/api/v1/jobs/lease", body);
    was_answered_ = true;
    if (std::exchange(is_away_, false)) fmt::print(stderr, "mendel: the server is back\n");
    if (!answer.contains("id")) {
      sleep_unless_interrupted(kLookForInterrupt);
      return std::nullopt;
    }
    return answer;
  } catch (const Error& error) {
    throw_if_interrupted();
    if (!was_answered_ && !is_transient(error.code())) throw;
    if (!std::exchange(is_away_, true)) {
      fmt::print(stderr, "mendel: no lease: {}; asking again\n", error.what());
    }
  }
  sleep_unless_interrupted(kPauseAfterFailure);
  return std::nullopt;
}

void Agent::wait_for_slot() {
  std::unique_lock lock(mutex_);
  while (busy_ >= settings_.slots) {
    throw_if_interrupted();
    changed_.wait_for(lock, kLookForInterrupt);
  }
  throw_if_interrupted();
  if (busy_ == 0) threads_.clear();
}

std::optional<AttemptOutcome> Agent::wait_for_outcome() {
  std::unique_lock lock(mutex_);
  while (busy_ > 0) {
    throw_if_interrupted();
    changed_.wait_for(lock, kLookForInterrupt);
  }
  if (!outcome_) throw Error(ErrorCode::internal, "the attempt could not be carried out");
  return outcome_;
}

}  // namespace mendel::cli
