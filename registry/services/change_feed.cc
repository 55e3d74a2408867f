#include "registry/services/change_feed.h"

#include <spdlog/spdlog.h>

#include <atomic>
#include <chrono>
#include <stop_token>
#include <thread>

#include "registry/services/pause.h"
#include "schema/changes.h"
#include "storage/base/error.h"

namespace mendel::registry {

namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr auto kReadingPeriod = std::chrono::milliseconds(250);
constexpr auto kFreshFor = std::chrono::seconds(1);
constexpr auto kPruneAfter = std::chrono::minutes(10);

// Others may prune what was committed before our last reading plus kPruneAfter: well before
// that, a thread that was not given the processor must assume that it missed something.
constexpr auto kReadingGapMax = std::chrono::minutes(5);

}  // namespace

struct ChangeFeed::State {
  explicit State(schema::Database& database) : database(database) {}

  void run(std::stop_token stop);
  void read();
  bool is_continued_by(const schema::ChangeReading& reading,
                       SteadyClock::time_point began) const;
  void tell(std::string_view topic) const;
  void prune(SteadyClock::time_point now);

  schema::Database& database;
  std::vector<Listener> listeners;  // not changed once the thread runs

  // The start of the last good reading, as a count of the steady clock; the lowest: none
  // yet.
  std::atomic<SteadyClock::rep> read_at{
      SteadyClock::time_point::min().time_since_epoch().count()};

  // The thread's own.
  struct Position {
    schema::ChangeReading reading;
    SteadyClock::time_point began;
  };
  std::optional<Position> last;
  std::optional<Position> prunable;  // a reading that everybody will have overtaken
  bool away = false;

  std::jthread thread;
};

void ChangeFeed::State::run(std::stop_token stop) {
  while (!stop.stop_requested()) {
    try {
      read();
      if (away) spdlog::info("change feed: reading again");
      away = false;
    } catch (const Error& error) {
      if (!away)
        spdlog::warn("change feed: not readable, nothing is remembered: {}", error.what());
      away = true;
      last.reset();
      prunable.reset();
    }
    pause_unless_stopped(stop, kReadingPeriod);
  }
}

void ChangeFeed::State::read() {
  const auto began = SteadyClock::now();
  const auto since = last ? std::optional(last->reading.snapshot) : std::nullopt;
  auto reading = database.read("read the change feed", [&](schema::Transaction& tx) {
    return schema::read_changes(tx, since);
  });

  if (is_continued_by(reading, began)) {
    for (const std::string& topic : reading.topics) tell(topic);
  } else {
    tell("");
    prunable.reset();
  }
  last = Position{std::move(reading), began};
  read_at.store(began.time_since_epoch().count(), std::memory_order_release);
  prune(began);
}

bool ChangeFeed::State::is_continued_by(const schema::ChangeReading& reading,
                                        SteadyClock::time_point began) const {
  return last && last->reading.server_start == reading.server_start &&
         began - last->began < kReadingGapMax;
}

void ChangeFeed::State::tell(std::string_view topic) const {
  for (const Listener& listener : listeners) listener(topic);
}

void ChangeFeed::State::prune(SteadyClock::time_point now) {
  if (prunable && now - prunable->began < kPruneAfter) return;
  if (prunable) {
    database.transact("prune the change feed", [&](schema::Transaction& tx) {
      schema::prune_changes(tx, prunable->reading.oldest);
    });
  }
  prunable = last;
}

ChangeFeed::ChangeFeed(schema::Database& database)
    : state_(std::make_unique<State>(database)) {}

ChangeFeed::~ChangeFeed() { stop(); }

void ChangeFeed::listen(Listener listener) {
  state_->listeners.push_back(std::move(listener));
}

void ChangeFeed::start() {
  state_->thread =
      std::jthread([state = state_.get()](std::stop_token stop) { state->run(stop); });
}

void ChangeFeed::stop() { state_->thread = std::jthread(); }

void ChangeFeed::announce(std::string_view topic) { state_->tell(topic); }

bool ChangeFeed::fresh() const {
  const SteadyClock::time_point read_at{
      SteadyClock::duration(state_->read_at.load(std::memory_order_acquire))};
  return read_at != SteadyClock::time_point::min() &&
         SteadyClock::now() - read_at < kFreshFor;
}

}  // namespace mendel::registry
