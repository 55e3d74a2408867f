#include "registry/services/ledger/pace_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "registry/services/ledger/definitions.h"
#include "storage/base/reference.h"
#include "storage/canonical_json.h"
#include "tests/registry/trigger_fixture.h"
#include "tests/testing/ledger_rows.h"

namespace mendel::registry {
namespace {

using nlohmann::json;
using std::chrono::days;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// KPIs in a registry whose clock stands at 2024-02-13, 43 days into the year.
class PaceWatchTest : public TriggerTest {
 protected:
  KpiDefinition define(const std::string& id, const json& others = json::object()) {
    json document{{"title", "Events"},
                  {"threshold", 366},
                  {"namespaces", {"lhcb"}},
                  {"since", "2024-01-01"},
                  {"deadline", "2024-12-31"}};
    document.update(others);
    for (const auto& [name, value] : others.items()) {
      if (value.is_null()) document.erase(name);
    }
    return registry.kpi_definitions
        .put(admin, Name::parse("a KPI", id), storage::canonical_json(document),
             [](const auto*) {})
        .item;
  }

  void record_entries(const KpiDefinition& kpi, std::int64_t value) {
    testing::insert_ledger_batch(test_database.database(),
                                 {{.kpi_id = kpi.counting.kpi_id,
                                   .namespace_id = ns,
                                   .event_id = "event " + std::to_string(++recorded),
                                   .occurred_at = registry.clock.now() - days(1),
                                   .value = value,
                                   .amount = value}},
                                 registry.clock.now());
    registry.chainer.chain_some();
  }

  // Values of KPIs that fell behind when somebody looked, the oldest first.
  std::vector<double> fallen() {
    std::vector<double> values;
    for (const auto& event : events(std::nullopt)) {
      if (event.kind == "kpi")
        values.push_back(json::parse(event.payload).at("value").get<double>());
    }
    std::ranges::reverse(values);
    return values;
  }

  TriggerService::Row apply_watch(const std::string& kpi) {
    return apply("watch", {{"kpi", {{"id", kpi}, {"behind_pace", true}}}});
  }

  int recorded = 0;
};

TEST_F(PaceWatchTest, SaysOnceThatAKpiFallsBehind) {
  const auto kpi = define("KPI1");
  record_entries(kpi, 20);
  registry.pace_watch.look();
  registry.pace_watch.look();
  EXPECT_THAT(fallen(), ElementsAre(20));

  record_entries(kpi, 100);  // on its pace, until April
  registry.pace_watch.look();
  registry.clock.advance(days(40));
  registry.pace_watch.look();
  EXPECT_THAT(fallen(), ElementsAre(20));
  registry.clock.advance(days(60));
  registry.pace_watch.look();
  EXPECT_THAT(fallen(), ElementsAre(20, 120));
}

TEST_F(PaceWatchTest, OneThatIsOnItsPaceSaysNothing) {
  record_entries(define("KPI1"), 44);
  define("KPI2", {{"deadline", nullptr}});
  define("KPI3", {{"since", nullptr}});  // nothing came yet: it has not begun
  registry.pace_watch.look();
  EXPECT_THAT(fallen(), IsEmpty());
}

TEST_F(PaceWatchTest, BeginsWithTheFirstEntryWhereNoDayIsGiven) {
  const auto kpi = define("KPI1", {{"since", nullptr}});
  record_entries(kpi, 2);
  registry.pace_watch.look();
  EXPECT_THAT(fallen(), IsEmpty());
  registry.clock.advance(days(30));
  registry.pace_watch.look();
  EXPECT_THAT(fallen(), ElementsAre(2));
}

TEST_F(PaceWatchTest, CountsAsTheDefinitionSays) {
  const auto kpi = define("KPI1", {{"count", "entries"}, {"threshold", 10}});
  record_entries(kpi, 1000);
  registry.pace_watch.look();  // 1 of 1.2
  EXPECT_THAT(fallen(), ElementsAre(1));
}

TEST_F(PaceWatchTest, ATriggerMakesAJob) {
  define("KPI1");
  apply_watch("kpi1");
  registry.pace_watch.look();
  work();
  ASSERT_THAT(jobs(), SizeIs(1));
  EXPECT_THAT(jobs().front().reason,
              HasSubstr("KPI1 is behind its pace: it is 0, and 43.0 was expected"));
}

TEST_F(PaceWatchTest, ATriggerWhoseOwnerMayNotReadTheKpiMakesNone) {
  const Name secret = Name::parse("a namespace", "secret");
  registry.namespaces.put(admin, secret, {}, [](const auto*) {});
  define("KPI1", {{"namespaces", {"lhcb", "secret"}}});

  const Name writer = Name::parse("a principal", "anna");
  Caller anna;
  anna.principal = registry.principals.put(admin, writer, {}, [](const auto*) {}).item.id;
  anna.name = "anna";
  anna.scopes.add(Scope::read);
  anna.scopes.add(Scope::write);
  const auto lhcb =
      registry.access.require(admin, Name::parse("a namespace", "lhcb"), Role::owner);
  registry.namespaces.put_member(admin, lhcb.ns, writer, Role::writer, [](const auto*) {});
  apply(anna, "watch", {{"kpi", {{"id", "KPI1"}, {"behind_pace", true}}}});

  registry.pace_watch.look();
  work();
  EXPECT_THAT(jobs(), IsEmpty());
  EXPECT_THAT(fallen(), SizeIs(1));
}

}  // namespace
}  // namespace mendel::registry
