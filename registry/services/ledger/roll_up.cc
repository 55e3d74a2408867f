#include "registry/services/ledger/roll_up.h"

#include <spdlog/spdlog.h>

#include <chrono>

#include "registry/services/ledger/definition.h"
#include "registry/services/ledger/scope.h"
#include "registry/services/pause.h"
#include "schema/ledger_sums.h"
#include "storage/base/error.h"

namespace mendel::registry {

namespace {

constexpr auto kPeriod = std::chrono::seconds(1);
constexpr std::int64_t kEntriesAtOnce = 50'000;

// Of each day of occurrence; a report shows a hundred.
constexpr std::int64_t kLinksOfDayMax = 100;

}  // namespace

void RollUp::start() {
  thread_ = std::jthread([this](std::stop_token stop) { run(stop); });
}

void RollUp::stop() { thread_ = std::jthread(); }

// What fails is tried again in the next round; a failure that stays is told once.
void RollUp::run(std::stop_token stop) {
  while (!stop.stop_requested()) {
    try {
      roll_up_all(stop);
      if (away_) spdlog::info("the ledger's entries are summed up again");
      away_ = false;
    } catch (const Error& error) {
      if (!away_) spdlog::warn("the ledger's entries are not summed up: {}", error.what());
      away_ = true;
    }
    pause_unless_stopped(stop, kPeriod);
  }
}

void RollUp::roll_up() { roll_up_all(std::stop_token()); }

void RollUp::roll_up_all(std::stop_token stop) {
  const auto countings = database_.read("list countings", [](schema::Transaction& tx) {
    return schema::list_countings_behind(tx);
  });
  for (const std::int64_t counting : countings) roll_up_all_of(counting, stop);
}

// One that is damaged does not keep the others from being summed up.
void RollUp::roll_up_all_of(std::int64_t counting, std::stop_token stop) {
  try {
    while (!stop.stop_requested() && roll_up_some(counting, kEntriesAtOnce)) {
    }
  } catch (const Error& error) {
    if (error.code() != ErrorCode::data_loss) throw;
    if (damaged_.insert(counting).second)
      spdlog::error("sums of counting {}: {}", counting, error.what());
  }
}

bool RollUp::roll_up_some(std::int64_t id, std::int64_t entries_max) {
  return database_.transact("sum up entries", [&](schema::Transaction& tx) {
    const auto row = schema::try_lock_counting(tx, id);
    if (!row) return false;
    const auto last = schema::find_end_of_batches(tx, row->rolled_up_to, entries_max);
    if (!last) return false;
    const auto counting = Counting::parse(row->id, row->kpi_id, row->rule);
    const auto scope = scope_of(counting);
    const schema::BatchRange batches{.after = row->rolled_up_to, .last = *last};
    schema::add_to_ledger_sums(tx, scope, counting.keys, batches);
    schema::add_to_ledger_links(tx, scope, batches, kLinksOfDayMax);
    schema::update_rolled_up_to(tx, id, *last);
    return true;
  });
}

}  // namespace mendel::registry
