#include "registry/services/egress/poller.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "registry/services/egress/push_event.h"
#include "registry/services/pause.h"
#include "registry/services/triggers/events.h"
#include "storage/base/error.h"
#include "storage/base/uuid.h"
#include "storage/utf8.h"

namespace mendel::registry {

namespace {

constexpr auto kRound = std::chrono::seconds(1);
constexpr auto kClaimTime = std::chrono::minutes(2);
constexpr auto kPauseMax = std::chrono::hours(1);
constexpr std::size_t kRefsMax = 20'000;
constexpr std::size_t kMovesMax = 500;
constexpr std::size_t kMovesWithPathsMax = 5;
constexpr std::int32_t kFailuresBeforeNoPaths = 3;

}  // namespace

void Poller::start() {
  for (std::size_t i = 0; i < kThreads; ++i) {
    threads_[i] =
        std::jthread([this, i](std::stop_token stop) { run(stop, /*follows=*/i == 0); });
  }
}

void Poller::stop() {
  for (auto& thread : threads_) thread.request_stop();
  for (auto& thread : threads_) thread = std::jthread();
}

// What fails is tried again in the next round; a failure that stays is told once.
void Poller::run(std::stop_token stop, bool follows) {
  while (!stop.stop_requested()) {
    try {
      if (follows) follow_triggers();
      while (!stop.stop_requested() && look_at_one()) {
      }
      if (away_.exchange(false)) spdlog::info("repositories are looked at again");
    } catch (const Error& error) {
      if (error.code() == ErrorCode::cancelled) return;  // the server is about to stop
      if (!away_.exchange(true))
        spdlog::warn("repositories are not looked at: {}", error.what());
    }
    pause_unless_stopped(stop, kRound);
  }
}

void Poller::follow_triggers() {
  database_.transact("follow triggers to repositories", [&](schema::Transaction& tx) {
    schema::follow_triggers(tx, clock_.now());
  });
}

std::chrono::seconds Poller::pause_after(std::int32_t failures) const {
  const auto pause = period_ * (1LL << std::min(failures, 20));
  return std::min<std::chrono::seconds>(pause,
                                        std::max<std::chrono::seconds>(kPauseMax, period_));
}

bool Poller::look_at_one() {
  const Timestamp now = clock_.now();
  const std::string claim = make_uuid_v7(now);
  const auto row = database_.transact("claim a repository", [&](schema::Transaction& tx) {
    return schema::claim_poll(tx, now, now + kClaimTime, claim);
  });
  if (!row) return false;
  try {
    look_at(*row, claim);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::cancelled) {
      database_.transact("give a repository back", [&](schema::Transaction& tx) {
        schema::release_poll(tx, *row, claim, now);
      });
      throw;
    }
    spdlog::info("repository={} error={} cause=\"{}\"", row->repository,
                 wire_name(error.code()), error.what());
    database_.transact("note a failed look", [&](schema::Transaction& tx) {
      schema::note_poll_failure(tx, *row, claim, error.what(),
                                clock_.now() + pause_after(row->failures + 1));
    });
  }
  return true;
}

void Poller::look_at(const schema::PollRow& row, const std::string& claim) {
  Refs now = remotes_.list(row.url);
  // Names are bytes to git; one that is no UTF-8 no trigger can name.
  std::erase_if(now, [](const auto& ref) { return !storage::is_utf8(ref.first); });
  if (now.size() > kRefsMax) {
    throw Error(ErrorCode::too_large,
                "the repository has more than 20000 branches and tags: give it a hook");
  }
  const auto moves = row.refs ? compare_refs(read_refs(*row.refs), now, kMovesMax)
                              : RefMoves{.moved = {}, .seen = now, .is_all = true};
  std::vector<PushEvent> pushes;
  for (const auto& move : moves.moved) {
    pushes.push_back({.ns = row.namespace_id,
                      .repository = row.repository,
                      .ref = move.ref,
                      .before = move.before,
                      .after = move.after,
                      .paths = pushes.size() < kMovesWithPathsMax ? changed_paths(row, move)
                                                                  : std::nullopt,
                      .delivery = "poll " + claim});
  }
  const bool is_told = database_.transact("note a look", [&](schema::Transaction& tx) {
    if (!schema::lock_claimed_poll(tx, row, claim)) return false;
    for (const auto& push : pushes) record_push(tx, push);
    const Timestamp seen_at = clock_.now();
    schema::note_refs(tx, row, write_refs(moves.seen), seen_at,
                      moves.is_all ? seen_at + period_ : seen_at);
    return !pushes.empty();
  });
  if (is_told) changes_.announce(kEventsTopic);
}

// Where they cannot be had again and again, the push is told of without them.
std::optional<std::vector<std::string>> Poller::changed_paths(const schema::PollRow& row,
                                                              const MovedRef& move) {
  if (!row.wants_paths || !move.before) return std::nullopt;
  try {
    return remotes_.changed_paths(row.url, *move.before, move.after);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::cancelled || row.failures < kFailuresBeforeNoPaths)
      throw;
    return std::nullopt;
  }
}

}  // namespace mendel::registry
