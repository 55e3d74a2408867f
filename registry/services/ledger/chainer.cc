// Batches are chained in the order of their ids. A batch's id is drawn after the entries
// that it corrects were seen committed, so that a correction never comes before its event.

#include "registry/services/ledger/chainer.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <thread>
#include <vector>

#include "registry/services/ledger/chain_hash.h"
#include "registry/services/pause.h"
#include "schema/ledger_chain.h"
#include "storage/base/error.h"

namespace mendel::registry {

namespace {

using std::chrono::microseconds;

constexpr std::int64_t kBatchesAtOnce = 1000;

// Rounds are not more frequent, whoever wakes the thread, and not rarer.
constexpr auto kRestPeriod = std::chrono::milliseconds(200);
constexpr auto kLookPeriod = std::chrono::seconds(1);

ChainHead head_of(const schema::ChainedBatchRow& batch) {
  return {.sequence = batch.sequence,
          .entry_count = batch.entries_through,
          .recorded_at = batch.recorded_at,
          .hash = batch.hash};
}

// Whatever follows the head is recorded no earlier.
Timestamp first_time_after(const schema::LedgerHeadRow& head) {
  return head.recorded_at + microseconds(1);
}

// Batches follow the head, and become it. Each is recorded when it was received, and not
// before recorded_at, which becomes the last one's.
void append(schema::Transaction& tx, schema::LedgerHeadRow& head,
            std::span<const schema::UnchainedBatchRow> batches, Timestamp& recorded_at) {
  if (batches.empty()) return;
  std::vector<schema::ChainedBatchRow> chained;
  chained.reserve(batches.size());
  for (const auto& batch : batches) {
    ++head.sequence;
    head.entry_count += batch.entry_count;
    recorded_at = std::max(recorded_at, batch.received_at);
    head.hash = hash_of({.previous = head.hash,
                         .sequence = head.sequence,
                         .recorded_at = recorded_at,
                         .entry_count = batch.entry_count,
                         .digest = batch.digest});
    chained.push_back({.id = batch.id,
                       .sequence = head.sequence,
                       .entry_count = batch.entry_count,
                       .entries_through = head.entry_count,
                       .digest = batch.digest,
                       .recorded_at = recorded_at,
                       .hash = head.hash});
  }
  schema::chain_batches(tx, chained);
  head.recorded_at = recorded_at;
}

// What is recorded by at: those that were received by then, up to the first that was not,
// since none may come before what it corrects.
std::size_t count_received(std::span<const schema::UnchainedBatchRow> batches,
                           Timestamp at) {
  const auto late = std::ranges::find_if(
      batches, [at](const auto& batch) { return batch.received_at > at; });
  return static_cast<std::size_t>(late - batches.begin());
}

}  // namespace

struct Chainer::State {
  State(schema::Database& database, const Clock& clock)
      : database(database), clock(clock) {}

  schema::Database& database;
  const Clock& clock;

  bool away = false;  // PostgreSQL was not to be had; the thread's own

  std::mutex mutex;  // guards what follows
  std::condition_variable_any wake_up;
  bool is_woken = false;

  std::jthread thread;

  void run(Chainer& chainer, std::stop_token stop);
  void wait(std::stop_token stop);

  // One transaction's worth; nothing where somebody else is at it.
  std::optional<std::int64_t> chain_once();
  void close(Timestamp at);
  std::optional<ChainHead> find_closed(Timestamp at);
};

Chainer::Chainer(schema::Database& database, const Clock& clock)
    : state_(std::make_unique<State>(database, clock)) {}

Chainer::~Chainer() = default;

void Chainer::start() {
  state_->thread = std::jthread([this](std::stop_token stop) { state_->run(*this, stop); });
}

void Chainer::stop() { state_->thread = std::jthread(); }

void Chainer::wake() {
  const std::scoped_lock lock(state_->mutex);
  state_->is_woken = true;
  state_->wake_up.notify_all();
}

// What fails is tried again in the next round; a failure that stays is told once.
void Chainer::State::run(Chainer& chainer, std::stop_token stop) {
  while (!stop.stop_requested()) {
    try {
      chainer.chain_some();
      if (away) spdlog::info("the ledger's entries are chained again");
      away = false;
    } catch (const Error& error) {
      if (!away) spdlog::warn("the ledger's entries are not chained: {}", error.what());
      away = true;
    }
    wait(stop);
  }
}

void Chainer::State::wait(std::stop_token stop) {
  pause_unless_stopped(stop, kRestPeriod);
  std::unique_lock lock(mutex);
  wake_up.wait_for(lock, stop, kLookPeriod - kRestPeriod, [this] { return is_woken; });
  is_woken = false;
}

// Looks before it locks: most of the time there is nothing.
std::optional<std::int64_t> Chainer::State::chain_once() {
  const bool is_work = database.read("look for unchained entries", [](auto& tx) {
    return schema::has_unchained_batches(tx);
  });
  if (!is_work) return std::nullopt;
  return database.transact("chain entries", [&](schema::Transaction& tx) {
    auto head = schema::try_lock_ledger_head(tx);
    if (!head) return std::optional<std::int64_t>();
    const auto batches = schema::list_unchained_batches(tx, kBatchesAtOnce);
    if (batches.empty()) return std::optional<std::int64_t>();
    Timestamp recorded_at = first_time_after(*head);
    append(tx, *head, batches, recorded_at);
    schema::update_ledger_head(tx, *head);
    return std::optional(static_cast<std::int64_t>(batches.size()));
  });
}

std::int64_t Chainer::chain_some() {
  std::int64_t count = 0;
  for (;;) {
    const auto chained = state_->chain_once();
    count += chained.value_or(0);
    if (chained.value_or(0) < kBatchesAtOnce) return count;
  }
}

std::optional<ChainHead> Chainer::State::find_closed(Timestamp at) {
  return database.read("find the end of the chain",
                       [&](schema::Transaction& tx) -> std::optional<ChainHead> {
                         if (schema::get_ledger_head(tx).recorded_at < at) {
                           return std::nullopt;
                         }
                         const auto last = schema::find_batch_recorded_until(tx, at);
                         return last ? head_of(*last) : ChainHead();
                       });
}

// All in one transaction: from then on what comes is recorded later than at.
void Chainer::State::close(Timestamp at) {
  database.transact("close the book", [&](schema::Transaction& tx) {
    auto head = schema::lock_ledger_head(tx);
    if (head.recorded_at >= at) return;
    Timestamp recorded_at = first_time_after(head);
    for (bool is_more = true; is_more;) {
      const auto batches = schema::list_unchained_batches(tx, kBatchesAtOnce);
      const std::size_t in_time = count_received(batches, at);
      append(tx, head, std::span(batches).first(in_time), recorded_at);
      is_more = in_time == kBatchesAtOnce;
    }
    head.recorded_at = at;
    schema::update_ledger_head(tx, head);
  });
}

ChainHead Chainer::close_book(Timestamp at) {
  const Timestamp now = std::max(state_->clock.now(), head().recorded_at);
  if (at > now) {
    throw Error(ErrorCode::invalid_argument,
                "the ledger cannot say what will be known at " + format_rfc3339(at));
  }
  if (const auto head = state_->find_closed(at)) return *head;
  state_->close(at);
  return state_->find_closed(at).value();
}

ChainHead Chainer::head() {
  return state_->database.read("find the end of the chain", [&](schema::Transaction& tx) {
    const auto head = schema::get_ledger_head(tx);
    const auto last = schema::find_batch(tx, head.sequence);
    return last ? head_of(*last) : ChainHead();
  });
}

}  // namespace mendel::registry
