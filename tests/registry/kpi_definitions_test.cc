#include <gmock/gmock.h>

#include <chrono>

#include "registry/services/ledger/definitions.h"
#include "schema/transaction.h"
#include "storage/base/clock.h"
#include "tests/registry/kpi_fixture.h"

namespace mendel::registry {
namespace {

using nlohmann::json;
using std::chrono::hours;
using std::chrono::microseconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class KpiDefinitionsTest : public KpiTest {
 protected:
  static std::vector<std::string> ids(const std::vector<KpiDefinition>& definitions) {
    std::vector<std::string> ids;
    for (const auto& definition : definitions) ids.push_back(definition.id);
    return ids;
  }
  std::vector<std::string> listed(const Caller& caller) {
    return ids(registry.kpi_definitions.list(caller, {.limit = 100, .after = {}}).items);
  }
};

TEST_F(KpiDefinitionsTest, AreWhatTheDocumentSays) {
  const auto made =
      put_kpi(admin, "KPI2.2.1.1",
              kpi_document({{"description", "as shown by links"},
                            {"symbol", "N_MC"},
                            {"display", {{"unit", "billion events"}, {"scale", 1e9}}},
                            {"since", "2023-09-01"},
                            {"deadline", "2025-12-31"},
                            {"direction", "at-most"},
                            {"filter", {{"site", "CNAF"}}},
                            {"allow_negative", true}}));
  EXPECT_EQ(made.outcome, Outcome::created);

  const auto found = registry.kpi_definitions.get(admin, kpi_id("kpi2.2.1.1"));
  EXPECT_EQ(found.id, "KPI2.2.1.1");
  EXPECT_EQ(found.revision, 1);
  EXPECT_EQ(found.title, "Events from ML simulation");
  EXPECT_EQ(found.description, "as shown by links");
  EXPECT_EQ(found.symbol, "N_MC");
  EXPECT_EQ(found.unit, "events");
  EXPECT_EQ(found.display_unit, "billion events");
  EXPECT_EQ(found.display_scale, 1e9);
  EXPECT_EQ(found.count, KpiDefinition::Count::sum);
  EXPECT_EQ(found.threshold, 1e9);
  EXPECT_EQ(found.direction, KpiDefinition::Direction::at_most);
  EXPECT_TRUE(found.allows_negative);
  EXPECT_EQ(found.since, std::chrono::sys_days(std::chrono::year(2023) / 9 / 1));
  EXPECT_EQ(found.deadline, std::chrono::sys_days(std::chrono::year(2025) / 12 / 31));
  EXPECT_THAT(found.namespaces, ElementsAre("lhcb"));
  EXPECT_THAT(found.counting.namespaces, ElementsAre(ns));
  EXPECT_THAT(found.counting.keys, ElementsAre("campaign", "experiment", "site"));
  EXPECT_THAT(found.counting.filter.at("site"), ElementsAre("CNAF"));
  EXPECT_EQ(found.defined_at, registry.clock.now());
  EXPECT_EQ(found.defined_by, "admin");
  EXPECT_EQ(found.document, made.item.document);
}

TEST_F(KpiDefinitionsTest, KeepSumsByTheKeyThatIsCounted) {
  const auto kpi = define("experiments", {{"count", {{"distinct", "detector"}}},
                                          {"keys", {"site", "campaign", "site"}}});
  EXPECT_EQ(kpi.count, KpiDefinition::Count::distinct);
  EXPECT_EQ(kpi.distinct_key, "detector");
  EXPECT_EQ(kpi.display_unit, "events");
  EXPECT_THAT(kpi.counting.keys, ElementsAre("campaign", "detector", "site"));
  EXPECT_THAT(
      define("talks", {{"count", "entries"}, {"keys", json::array()}}).counting.keys,
      IsEmpty());
}

TEST_F(KpiDefinitionsTest, MakeARevisionOfWhatChanges) {
  const auto first = define("talks");
  registry.clock.advance(hours(1));
  const auto again = put_kpi(admin, "talks", kpi_document());
  EXPECT_EQ(again.outcome, Outcome::updated);
  EXPECT_EQ(again.item.revision, 1);
  EXPECT_EQ(again.item.defined_at, first.defined_at);

  const auto second = define("talks", {{"threshold", 3}});
  EXPECT_EQ(second.revision, 2);
  EXPECT_EQ(second.counting.id, first.counting.id) << "it counts the same";
  const auto third = define("talks", {{"threshold", 3}, {"filter", {{"site", "CNAF"}}}});
  EXPECT_NE(third.counting.id, first.counting.id);
  const auto fourth = define("talks");
  EXPECT_EQ(fourth.counting.id, first.counting.id);

  const auto revisions = registry.kpi_definitions.revisions(admin, kpi_id("talks"));
  ASSERT_THAT(revisions, SizeIs(4));
  EXPECT_EQ(revisions[0].revision, 4);
  EXPECT_EQ(revisions[3].threshold, 1e9);
  EXPECT_EQ(revisions[2].threshold, 3);
}

TEST_F(KpiDefinitionsTest, AreKnownAsTheyWereAtATime) {
  const Timestamp start = registry.clock.now();
  define("talks");
  registry.clock.advance(hours(2));
  define("talks", {{"threshold", 3}});
  const auto threshold_at = [&](Timestamp at) {
    return registry.kpi_definitions.list_at(admin, at).at(0).threshold;
  };
  EXPECT_EQ(threshold_at(start - hours(1)), 1e9) << "the first one, before there was any";
  EXPECT_EQ(threshold_at(start), 1e9);
  EXPECT_EQ(threshold_at(start + hours(2) - microseconds(1)), 1e9);
  EXPECT_EQ(threshold_at(start + hours(2)), 3);
}

TEST_F(KpiDefinitionsTest, AreMadeAfterTheBookWasClosed) {
  const Timestamp closed_at = registry.clock.now() + hours(1);
  test_database.database().transact("close the book", [&](schema::Transaction& tx) {
    tx.exec_script("update kpi_head set recorded_at = '" + format_rfc3339(closed_at) + "'");
  });
  EXPECT_EQ(define("talks").defined_at, closed_at + microseconds(1));
  EXPECT_EQ(define("talks", {{"threshold", 3}}).defined_at, closed_at + microseconds(2));
}

TEST_F(KpiDefinitionsTest, AreMadeByMaintainersOfAllThatTheyName) {
  const Caller maintainer = make_caller("anna", Role::maintainer);
  const Caller writer = make_caller("ben", Role::writer);
  const Caller reads_only = make_caller("carl", Role::maintainer, {Scope::read});
  make_namespace("cms");
  EXPECT_EQ(put_kpi(maintainer, "talks", kpi_document()).outcome, Outcome::created);
  for (const Caller& caller : {writer, reads_only}) {
    EXPECT_EQ(error_of([&] { put_kpi(caller, "other", kpi_document()); }),
              ErrorCode::permission_denied);
  }
  const json of_cms = kpi_document({{"namespaces", {"lhcb", "cms"}}});
  EXPECT_EQ(error_of([&] { put_kpi(maintainer, "other", of_cms); }),
            ErrorCode::unprocessable);
  const json of_all = kpi_document({{"namespaces", json::array()}});
  EXPECT_EQ(error_of([&] { put_kpi(maintainer, "other", of_all); }),
            ErrorCode::permission_denied);
  EXPECT_EQ(put_kpi(admin, "other", of_all).outcome, Outcome::created);
}

TEST_F(KpiDefinitionsTest, AreNotTakenOverByOthers) {
  make_namespace("cms");
  const Caller maintainer = make_caller("anna", Role::maintainer);
  define("of-cms", {{"namespaces", {"cms"}}});
  EXPECT_EQ(error_of([&] { put_kpi(maintainer, "of-cms", kpi_document()); }),
            ErrorCode::already_exists);
  EXPECT_EQ(error_of([&] { put_kpi(admin, "OF-cms", kpi_document()); }),
            ErrorCode::already_exists);
  make_namespace("atlas", Visibility::public_);
  define("of-atlas", {{"namespaces", {"atlas"}}});
  EXPECT_EQ(error_of([&] { put_kpi(maintainer, "of-atlas", kpi_document()); }),
            ErrorCode::permission_denied);
}

TEST_F(KpiDefinitionsTest, AreSeenByWhoMayReadAllThatTheyName) {
  make_namespace("cms");
  make_namespace("atlas", Visibility::public_);
  define("a", {{"namespaces", {"atlas"}}});
  define("B");
  define("c", {{"namespaces", {"lhcb", "cms"}}});
  define("d", {{"namespaces", json::array()}});
  const Caller reader = make_caller("rita", Role::reader, {Scope::read});
  const Caller no_scope = make_caller("rita", Role::reader, {Scope::kpi});
  EXPECT_THAT(listed(admin), ElementsAre("a", "B", "c", "d"));
  EXPECT_THAT(listed(reader), ElementsAre("a", "B"));
  EXPECT_THAT(listed(no_scope), ElementsAre("a"));
  EXPECT_THAT(listed(Caller()), ElementsAre("a"));
  for (const char* hidden : {"c", "d", "absent"}) {
    EXPECT_EQ(error_of([&] { registry.kpi_definitions.get(reader, kpi_id(hidden)); }),
              ErrorCode::not_found);
  }
  EXPECT_THAT(ids(registry.kpi_definitions.list_at(reader, registry.clock.now())),
              ElementsAre("a", "B"));
}

TEST_F(KpiDefinitionsTest, HideRevisionsThatNamedWhatTheCallerMayNotRead) {
  make_namespace("cms");
  define("talks", {{"namespaces", {"cms"}}});
  define("talks");
  const Caller reader = make_caller("rita", Role::reader);
  EXPECT_THAT(registry.kpi_definitions.revisions(admin, kpi_id("talks")), SizeIs(2));
  EXPECT_THAT(registry.kpi_definitions.revisions(reader, kpi_id("talks")), SizeIs(1));
}

TEST_F(KpiDefinitionsTest, AreListedInPages) {
  for (const char* id : {"c", "a", "B"}) define(id);
  auto& definitions = registry.kpi_definitions;
  const auto first = definitions.list(admin, {.limit = 2, .after = {}});
  EXPECT_THAT(ids(first.items), ElementsAre("a", "B"));
  ASSERT_TRUE(first.next);
  const auto second = definitions.list(admin, {.limit = 2, .after = *first.next});
  EXPECT_THAT(ids(second.items), ElementsAre("c"));
  EXPECT_FALSE(second.next);
}

TEST_F(KpiDefinitionsTest, AreLeftAloneWhereThePreconditionFails) {
  define("talks");
  EXPECT_EQ(error_of([&] {
              registry.kpi_definitions.put(
                  admin, kpi_id("talks"),
                  api::read_kpi_body(kpi_document({{"threshold", 3}})),
                  [](const KpiDefinition* current) {
                    ASSERT_NE(current, nullptr);
                    throw Error(ErrorCode::failed_precondition, current->id);
                  });
            }),
            ErrorCode::failed_precondition);
  EXPECT_EQ(registry.kpi_definitions.get(admin, kpi_id("talks")).revision, 1);
}

}  // namespace
}  // namespace mendel::registry
