#include "registry/services/triggers/dispatcher.h"

#include <spdlog/spdlog.h>

#include "registry/services/triggers/events.h"
#include "schema/events.h"
#include "schema/triggers.h"
#include "storage/base/error.h"
#include "storage/base/uuid.h"

namespace mendel::registry {

namespace {

constexpr auto kLookPeriod = std::chrono::milliseconds(100);
constexpr std::int64_t kEventsAtOnce = 100;

constexpr std::string_view kTask = "triggers";
constexpr auto kLead = std::chrono::milliseconds(2000);
constexpr auto kLeadRenewal = std::chrono::milliseconds(500);

// So long it can be asked what an event has done.
constexpr auto kConsumedKeptFor = std::chrono::days(30);
constexpr auto kPrunePeriod = std::chrono::hours(1);
constexpr std::int64_t kPrunedAtOnce = 10'000;

}  // namespace

TriggerDispatcher::TriggerDispatcher(schema::Database& database, ChangeFeed& changes,
                                     AccessService& access, JobMaking& jobs,
                                     const Clock& clock)
    : database_(database),
      clock_(clock),
      delivery_(database, access, jobs, clock),
      times_(database, clock),
      holder_(make_uuid_v7(clock.now())) {
  changes.listen([this](std::string_view topic) {
    if (topic != kEventsTopic) return;
    const std::lock_guard lock(mutex_);
    is_woken_ = true;
    wake_.notify_all();
  });
}

void TriggerDispatcher::start() {
  thread_ = std::jthread([this](std::stop_token stop) { run(stop); });
}

void TriggerDispatcher::stop() {
  if (!thread_.joinable()) return;
  thread_ = std::jthread();
  if (!leads_) return;
  try {
    database_.transact("give the lead away", [&](schema::Transaction& tx) {
      schema::stop_leading(tx, kTask, holder_);
    });
  } catch (const Error& error) {
    spdlog::warn("the lead over triggers is kept until it lapses: {}", error.what());
  }
  leads_ = false;
  asked_at_.reset();
}

// What fails is tried again in the next round; a failure that stays is told once.
void TriggerDispatcher::run(std::stop_token stop) {
  while (!stop.stop_requested()) {
    try {
      if (leads()) {
        tell_all([this] { return leads(); });
        prune();
      }
      if (away_) spdlog::info("triggers are told of events again");
      away_ = false;
    } catch (const Error& error) {
      if (!away_) spdlog::warn("triggers are not told of events: {}", error.what());
      away_ = true;
      asked_at_.reset();
    }
    wait(stop);
  }
}

void TriggerDispatcher::wait(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  wake_.wait_for(lock, stop, kLookPeriod, [&] { return is_woken_; });
  is_woken_ = false;
}

bool TriggerDispatcher::leads() {
  const auto now = SteadyClock::now();
  if (asked_at_ && now - *asked_at_ < kLeadRenewal) return leads_;
  const bool led = leads_;
  leads_ = database_.transact("ask who leads", [&](schema::Transaction& tx) {
    return schema::try_to_lead(tx, kTask, holder_,
                               static_cast<std::int32_t>(kLead.count()));
  });
  asked_at_ = now;
  if (leads_ && !led) spdlog::info("this server tells events to triggers now");
  return leads_;
}

void TriggerDispatcher::work() {
  tell_all([] { return true; });
}

// An event that has to wait is not in the list until its time has come; one that somebody
// else is at is met again in the next round.
void TriggerDispatcher::tell_all(const std::function<bool()>& may_go_on) {
  std::int64_t last = 0;
  for (bool is_more = true; is_more;) {
    const bool are_due = times_.record_due() > 0;
    const auto events = database_.read("find events", [&](schema::Transaction& tx) {
      return schema::list_unconsumed_events(tx, clock_.now(), last, kEventsAtOnce);
    });
    for (const std::int64_t event : events) {
      if (!may_go_on()) return;
      delivery_.tell(event);
      last = event;
    }
    is_more = are_due || events.size() == kEventsAtOnce;
  }
}

void TriggerDispatcher::prune() {
  const auto now = SteadyClock::now();
  if (pruned_at_ && now - *pruned_at_ < kPrunePeriod) return;
  database_.transact("prune events", [&](schema::Transaction& tx) {
    schema::prune_events(tx, clock_.now() - kConsumedKeptFor, kPrunedAtOnce);
  });
  pruned_at_ = now;
}

}  // namespace mendel::registry
