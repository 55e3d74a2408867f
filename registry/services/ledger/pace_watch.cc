#include "registry/services/ledger/pace_watch.h"

#include <spdlog/spdlog.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "registry/services/ledger/pace.h"
#include "registry/services/ledger/report_count.h"
#include "registry/services/pause.h"
#include "registry/services/triggers/events.h"
#include "registry/services/triggers/topics.h"
#include "schema/kpi_pace.h"
#include "schema/triggers.h"
#include "storage/base/error.h"
#include "storage/base/reference.h"
#include "storage/base/uuid.h"

namespace mendel::registry {

namespace {

constexpr auto kPeriod = std::chrono::minutes(1);

// Of one server, which renews it in each round.
constexpr std::string_view kTask = "kpi pace";
constexpr auto kLead = std::chrono::milliseconds(90'000);

std::string payload_of(const KpiDefinition& definition, double value, const Pace& pace) {
  return nlohmann::json{{"kpi", definition.id},
                        {"revision", definition.revision},
                        {"value", value},
                        {"expected", pace.expected},
                        {"threshold", definition.threshold},
                        {"namespaces", definition.namespaces}}
      .dump();
}

}  // namespace

PaceWatch::PaceWatch(schema::Database& database, ChangeFeed& changes,
                     KpiDefinitions& definitions, Chainer& chainer, LedgerSums& sums,
                     const Clock& clock)
    : database_(database),
      changes_(changes),
      definitions_(definitions),
      chainer_(chainer),
      sums_(sums),
      clock_(clock),
      holder_(make_uuid_v7(clock.now())) {}

void PaceWatch::start() {
  thread_ = std::jthread([this](std::stop_token stop) { run(stop); });
}

void PaceWatch::stop() { thread_ = std::jthread(); }

// What fails is tried again in the next round; a failure that stays is told once.
void PaceWatch::run(std::stop_token stop) {
  for (;;) {
    pause_unless_stopped(stop, kPeriod);
    if (stop.stop_requested()) return;
    try {
      if (leads()) look();
      if (away_) spdlog::info("the pace of KPIs is looked at again");
      away_ = false;
    } catch (const Error& error) {
      if (!away_) spdlog::warn("the pace of KPIs is not looked at: {}", error.what());
      away_ = true;
    }
  }
}

bool PaceWatch::leads() {
  return database_.transact("ask who leads", [&](schema::Transaction& tx) {
    return schema::try_to_lead(tx, kTask, holder_,
                               static_cast<std::int32_t>(kLead.count()));
  });
}

void PaceWatch::look() {
  const ChainHead head = chainer_.head();
  for (const KpiDefinition& definition : definitions_.list_all_at(clock_.now())) {
    if (definition.deadline) look_at(definition, head);
  }
}

// What falls behind and the event that says so are one transaction.
void PaceWatch::look_at(const KpiDefinition& definition, const ChainHead& head) {
  const Timestamp now = clock_.now();
  const LedgerRange range{.from = definition.since,
                          .until = now,
                          .at = head.recorded_at,
                          .sequence = head.sequence};
  std::optional<Timestamp> begin;
  if (!definition.since) {
    const auto days = sums_.by_day(definition.counting, range);
    if (!days.empty()) begin = days.front().day;
  }
  const auto counted =
      count(definition, sums_.by(definition.counting, counting_key(definition), range));
  const double value = counted.value.to_double();
  const auto pace = pace_of(definition, value, begin, now);
  if (!pace) return;

  // Who reads one of several namespaces need not be able to read the KPI.
  const auto& namespaces = definition.counting.namespaces;
  const bool falls_behind =
      database_.transact("record the pace of a KPI", [&](schema::Transaction& tx) {
        const bool is_changed =
            schema::record_kpi_pace(tx, definition.counting.kpi_id, pace->is_behind, now);
        if (!is_changed || !pace->is_behind) return false;
        record_event(tx, {.kind = EventKind::kpi,
                          .topic = kpi_topic(Name::parse("a KPI", definition.id)),
                          .ns = namespaces.size() == 1
                                    ? std::optional<NamespaceId>(namespaces.front())
                                    : std::nullopt,
                          .payload = payload_of(definition, value, *pace),
                          .chain = {},
                          .cause_job = ""});
        return true;
      });
  if (falls_behind) changes_.announce(kEventsTopic);
}

}  // namespace mendel::registry
