#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <random>
#include <thread>

#include "registry/services/ledger/entry_list.h"
#include "registry/services/ledger/recorder.h"
#include "schema/ledger_entries.h"
#include "schema/transaction.h"
#include "storage/base/digest.h"
#include "tests/registry/kpi_fixture.h"

namespace mendel::registry {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class KpiRecorder : public KpiTest {
 protected:
  KpiRecorder() { define("events"); }

  // What all entries add up to.
  struct Sums {
    std::string amount;
    std::int64_t weight = 0;
    std::int64_t entries = 0;

    friend bool operator==(const Sums&, const Sums&) = default;
    friend void PrintTo(const Sums& sums, std::ostream* out) {
      *out << sums.amount << ", weight " << sums.weight << ", entries " << sums.entries;
    }
  };
  Sums sums() {
    static constexpr schema::Statement kSums{"test_ledger_sums", R"sql(
      select coalesce(sum(amount), 0) as amount, coalesce(sum(weight), 0) as weight,
             count(*) as entries from kpi_entry
    )sql"};
    return test_database.database().read("sum up", [](schema::Transaction& tx) {
      const auto row = tx.exec_one(kSums);
      return Sums{Amount::parse(schema::at<std::string>(row, "amount")).text(),
                  schema::at<std::int64_t>(row, "weight"),
                  schema::at<std::int64_t>(row, "entries")};
    });
  }

  std::vector<schema::LedgerEntryRow> chained_rows() {
    registry.chainer.close_book(registry.clock.now());
    const auto kpis = registry.kpi_definitions.list(admin, {.limit = 100, .after = {}});
    schema::LedgerEntryFilter filter;
    for (const auto& kpi : kpis.items) filter.kpi_ids.push_back(kpi.counting.kpi_id);
    filter.limit = 10'000;
    return test_database.database().read("list entries", [&](schema::Transaction& tx) {
      schema::NamespaceViewer everybody;
      everybody.sees_all = true;
      return schema::list_ledger_entries(tx, everybody, filter);
    });
  }

  static ErrorCode only_refusal(const Recorder::Outcome& outcome) {
    if (outcome.refusals.size() == 1) return outcome.refusals[0].error.code();
    ADD_FAILURE() << outcome.refusals.size() << " refusals, accepted " << outcome.accepted;
    return ErrorCode::internal;
  }

  // "lhcb/lamarr:1" and so on; in another namespace with another caller.
  int publish_model(const std::string& content, NamespaceId where,
                    const std::string& ns_name,
                    storage::ArtifactKind kind = storage::ArtifactKind::model) {
    const Digest digest = Digest::of(content);
    const auto upload = registry.blobs.begin_upload(where, digest, content.size());
    upload->append(std::as_bytes(std::span(content)));
    upload->finish();
    storage::Manifest manifest;
    manifest.kind = kind;
    manifest.files.emplace_back().path = "weights.bin";
    manifest.files.back().digest = digest;
    const PublishingService::Request request{
        .artifact = ArtifactName::parse(
            ns_name, kind == storage::ArtifactKind::model ? "lamarr" : "calib"),
        .kind = kind,
        .manifest = manifest,
        .hyperparameters = other_hyperparameters()};
    return registry.publishing.publish(admin, where, request).record->version.number;
  }
  // Others each time, so that the same files make another version.
  std::string other_hyperparameters() { return json{{"n", ++published_}}.dump(); }
  int publish_model(const std::string& content) {
    return publish_model(content, ns, "lhcb");
  }

 private:
  int published_ = 0;
};

TEST_F(KpiRecorder, TakesAnEventOnce) {
  const std::vector<json> rows{event("a.dst", 1000), event("b.dst", 0.5)};
  EXPECT_EQ(record(rows).accepted, 2u);
  const Sums once{"1000.5", 2, 2};
  EXPECT_EQ(sums(), once);

  const auto again = record({rows[1], rows[0], rows[0]});
  EXPECT_EQ(again.accepted, 0u);
  EXPECT_EQ(again.duplicates, 3u);
  EXPECT_THAT(again.refusals, IsEmpty());
  EXPECT_EQ(sums(), once);
}

TEST_F(KpiRecorder, TakesTheFirstOfTheSameInOneRequest) {
  const auto outcome = record({event("a.dst", 1), event("a.dst", 1), event("a.dst", 2)});
  EXPECT_EQ(outcome.accepted, 1u);
  EXPECT_EQ(outcome.duplicates, 1u);
  EXPECT_EQ(only_refusal(outcome), ErrorCode::already_exists);
  EXPECT_EQ(outcome.refusals[0].index, 2u);
  EXPECT_EQ(sums(), (Sums{"1", 1, 1}));
}

TEST_F(KpiRecorder, RefusesOtherContentUnderTheSameId) {
  record({event("a.dst", 1000, {{"subject", {{"site", "CNAF"}}}})});
  const json others[] = {
      event("a.dst", 1001, {{"subject", {{"site", "CNAF"}}}}),
      event("a.dst", 1000, {{"subject", {{"site", "CERN"}}}}), event("a.dst", 1000),
      event("a.dst", 1000,
            {{"subject", {{"site", "CNAF"}}}, {"occurred_at", "2024-02-12T10:00:01Z"}}),
      event("a.dst", 1000,
            {{"subject", {{"site", "CNAF"}}}, {"evidence", {"https://example.org/1"}}})};
  for (const json& other : others) {
    EXPECT_EQ(only_refusal(record({other})), ErrorCode::already_exists) << other;
  }
  EXPECT_EQ(sums(), (Sums{"1000", 1, 1}));
  const auto same = event(
      "a.dst", 1000.0,
      {{"subject", {{"site", "CNAF"}}}, {"occurred_at", "2024-02-12T11:00:00+01:00"}});
  EXPECT_EQ(record({same}).duplicates, 1u) << "the same time, written differently";
}

TEST_F(KpiRecorder, KeepsIdsApartByKpiAndNamespace) {
  make_namespace("cms");
  define("of-all", {{"namespaces", json::array()}});
  const auto outcome =
      record({event("a.dst", 1), event("a.dst", 2, {{"kpi", "of-all"}}),
              event("a.dst", 4, {{"kpi", "of-all"}, {"namespace", "cms"}})});
  EXPECT_EQ(outcome.accepted, 3u);
  EXPECT_EQ(sums(), (Sums{"7", 3, 3}));
}

TEST_F(KpiRecorder, LosesNoOtherForABadOne) {
  const auto outcome = record({event("a.dst", 1), event("b.dst", 1, {{"kpi", "absent"}}),
                               event("c.dst", -1), event("d.dst", 1)});
  EXPECT_EQ(outcome.accepted, 2u);
  ASSERT_THAT(outcome.refusals, SizeIs(2));
  EXPECT_EQ(outcome.refusals[0].index, 1u);
  EXPECT_EQ(outcome.refusals[0].error.code(), ErrorCode::not_found);
  EXPECT_THAT(outcome.refusals[0].error.what(), HasSubstr("absent"));
  EXPECT_EQ(outcome.refusals[1].index, 2u);
  EXPECT_EQ(outcome.refusals[1].error.code(), ErrorCode::unprocessable);
}

TEST_F(KpiRecorder, RefusesWhatBreaksARule) {
  make_namespace("cms");
  make_namespace("atlas", Visibility::public_);
  define("of-all", {{"namespaces", json::array()}});
  define("of-cms", {{"namespaces", {"cms"}}});
  const Caller writer = make_caller("wanda", Role::writer);
  const std::pair<json, ErrorCode> wrong[] = {
      {event("x", 1, {{"kpi", "of-cms"}}), ErrorCode::not_found},
      {event("x", 1, {{"kpi", "of-all"}, {"namespace", "cms"}}), ErrorCode::not_found},
      {event("x", 1, {{"kpi", "of-all"}, {"namespace", "none"}}), ErrorCode::not_found},
      {event("x", 1, {{"kpi", "of-all"}, {"namespace", "atlas"}}),
       ErrorCode::permission_denied},
      {event("x", 1, {{"namespace", "atlas"}}), ErrorCode::unprocessable},
      {event("x", 1, {{"occurred_at", "2024-02-14T00:00:01Z"}}), ErrorCode::unprocessable},
      {event("x", 1, {{"occurred_at", "1969-12-31T23:59:59Z"}}), ErrorCode::unprocessable},
      {event("x", 1, {{"model", "lhcb/lamarr:1"}}), ErrorCode::not_found},
      {event("x", 1, {{"model", "lhcb/lamarr@" + Digest::of("x").to_string()}}),
       ErrorCode::not_found}};
  for (const auto& [row, code] : wrong) {
    EXPECT_EQ(only_refusal(record(writer, {row})), code) << row;
  }
  json without_value = event("x", 1);
  without_value.erase("value");
  EXPECT_EQ(only_refusal(record(writer, {without_value})), ErrorCode::unprocessable);
  json without_namespace = event("x", 1, {{"kpi", "of-all"}});
  without_namespace.erase("namespace");
  EXPECT_EQ(only_refusal(record(writer, {without_namespace})), ErrorCode::unprocessable);
  EXPECT_EQ(sums().entries, 0);

  EXPECT_EQ(record(writer, {event("x", 1, {{"kpi", "of-all"}})}).accepted, 1u);
  EXPECT_EQ(
      record(writer, {event("y", 1, {{"occurred_at", "2024-02-13T23:59:59Z"}})}).accepted,
      1u);
}

TEST_F(KpiRecorder, CountsEntriesWithoutAValueAsOne) {
  define("talks", {{"count", "entries"}, {"allow_negative", true}});
  json talk = event("chep", 1, {{"kpi", "talks"}});
  talk.erase("value");
  json nothing = event("cancelled", 0, {{"kpi", "talks"}});
  EXPECT_EQ(record({talk, nothing, event("x", -2, {{"kpi", "talks"}})}).accepted, 3u);
  EXPECT_EQ(sums(), (Sums{"-1", 2, 3}));
}

TEST_F(KpiRecorder, NamesTheVersionOfAModel) {
  EXPECT_EQ(publish_model("weights"), 1);
  json row = event("a.dst", 1, {{"model", "LHCB/Lamarr:1"}});
  row.erase("namespace");
  EXPECT_EQ(record({row}).accepted, 1u);
  const auto rows = chained_rows();
  ASSERT_THAT(rows, SizeIs(1));
  EXPECT_EQ(ledger_entry_of(rows[0]).model, "lhcb/lamarr:1");
  EXPECT_EQ(rows[0].ns, "lhcb");
}

TEST_F(KpiRecorder, KnowsAnEntryAgainWhoseDigestMeansANewerVersionNow) {
  publish_model("weights");
  const auto digest = registry.versions
                          .get(ArtifactName::parse("lhcb/lamarr"),
                               storage::ArtifactKind::model, VersionRef(VersionNumber{1}))
                          ->version.digest;
  const json row = event("a.dst", 1, {{"model", "lhcb/lamarr@" + digest.to_string()}});
  EXPECT_EQ(record({row}).accepted, 1u);
  EXPECT_EQ(publish_model("weights"), 2);
  EXPECT_EQ(record({row}).duplicates, 1u);
  EXPECT_EQ(only_refusal(record({event("a.dst", 2, {{"model", row["model"]}})})),
            ErrorCode::already_exists);
  EXPECT_EQ(record({event("b.dst", 1, {{"model", row["model"]}})}).accepted, 1u);
  const auto rows = chained_rows();
  EXPECT_EQ(ledger_entry_of(rows.at(0)).model, "lhcb/lamarr:1");
  EXPECT_EQ(ledger_entry_of(rows.at(1)).model, "lhcb/lamarr:2");
}

TEST_F(KpiRecorder, HidesModelsThatMayNotBeRead) {
  const auto cms = make_namespace("cms");
  publish_model("secret", cms, "cms");
  publish_model("data", ns, "lhcb", storage::ArtifactKind::dataset);
  const Caller writer = make_caller("wanda", Role::writer);
  const auto of_cms = event("a.dst", 1, {{"model", "cms/lamarr:1"}});
  EXPECT_EQ(only_refusal(record(writer, {of_cms})), ErrorCode::not_found);
  EXPECT_EQ(only_refusal(record({event("a.dst", 1, {{"model", "lhcb/calib:1"}})})),
            ErrorCode::not_found)
      << "a dataset makes no events";

  EXPECT_EQ(record({of_cms}).accepted, 1u);
  registry.chainer.close_book(registry.clock.now());
  const auto seen_by = [&](const Caller& caller) {
    return registry.ledger_entries.list(caller, {}, {.limit = 10, .after = {}})
        .items.at(0)
        .entry.model;
  };
  EXPECT_EQ(seen_by(admin), "cms/lamarr:1");
  EXPECT_EQ(seen_by(writer), "");
}

// --- Corrections ------------------------------------------------------------------------

TEST_F(KpiRecorder, CorrectsByTheDifference) {
  record({event("a.dst", 1000, {{"subject", {{"site", "CNAF"}}}}), event("b.dst", 1)});
  EXPECT_EQ(record({correction("fix-1", "a.dst", 900.5)}).accepted, 1u);
  EXPECT_EQ(sums(), (Sums{"901.5", 2, 3}));
  EXPECT_EQ(record({correction("fix-2", "a.dst", 0)}).accepted, 1u);
  EXPECT_EQ(sums(), (Sums{"1", 1, 4}));
  EXPECT_EQ(record({correction("fix-3", "a.dst", 7)}).accepted, 1u);
  EXPECT_EQ(sums(), (Sums{"8", 2, 5}));

  EXPECT_EQ(record({correction("fix-1", "a.dst", 900.5)}).duplicates, 1u);
  EXPECT_EQ(only_refusal(record({correction("fix-1", "a.dst", 901)})),
            ErrorCode::already_exists);
  EXPECT_EQ(sums(), (Sums{"8", 2, 5}));
}

TEST_F(KpiRecorder, CorrectsSeveralTimesInOneRequest) {
  const auto outcome =
      record({correction("fix-1", "a.dst", 0), event("a.dst", 5),
              correction("fix-2", "a.dst", 3), correction("fix-1", "a.dst", 0),
              event("b.dst", 1), correction("fix-3", "b.dst", 2)});
  EXPECT_EQ(outcome.accepted, 5u);
  EXPECT_EQ(outcome.duplicates, 1u);
  EXPECT_EQ(sums(), (Sums{"5", 2, 5}));
}

TEST_F(KpiRecorder, GivesACorrectionWhatItCorrects) {
  publish_model("weights");
  record({event("a.dst", 2,
                {{"model", "lhcb/lamarr:1"},
                 {"subject", {{"site", "CNAF"}}},
                 {"occurred_at", "2023-05-06T07:08:09.123456Z"}})});
  record({correction("fix", "a.dst", 3)});
  const auto rows = chained_rows();
  ASSERT_THAT(rows, SizeIs(2));
  EXPECT_EQ(rows[1].occurred_at, rows[0].occurred_at);
  EXPECT_EQ(rows[1].subject, rows[0].subject);
  EXPECT_EQ(rows[1].model_number, 1);
  EXPECT_EQ(rows[1].corrects, "a.dst");
  EXPECT_EQ(rows[1].reason, "counted wrongly");
}

TEST_F(KpiRecorder, CorrectsEventsThatAreThereAndNothingElse) {
  record({event("a.dst", 1), correction("fix", "a.dst", 2)});
  EXPECT_EQ(only_refusal(record({correction("fix-2", "b.dst", 2)})), ErrorCode::not_found);
  EXPECT_EQ(only_refusal(record({correction("fix-2", "fix", 2)})),
            ErrorCode::unprocessable);
  EXPECT_EQ(only_refusal(record({correction("fix-2", "a.dst", -2)})),
            ErrorCode::unprocessable);
  EXPECT_EQ(only_refusal(record({correction("a.dst", "a.dst", 2)})),
            ErrorCode::already_exists);
  EXPECT_EQ(sums(), (Sums{"2", 1, 2}));
}

// --- Who may ----------------------------------------------------------------------------

TEST_F(KpiRecorder, TakesEventsFromATokenThatMayDoNothingElse) {
  const Caller job = make_caller("job", Role::writer, {Scope::kpi});
  publish_model("weights");
  EXPECT_EQ(record(job, {event("a.dst", 1, {{"model", "lhcb/lamarr:1"}})}).accepted, 1u);
  EXPECT_EQ(only_refusal(record(job, {correction("fix", "a.dst", 2)})),
            ErrorCode::permission_denied);
}

TEST_F(KpiRecorder, RefusesCallersWithoutTheRoleOrTheScope) {
  const Caller reader = make_caller("rita", Role::reader, {Scope::kpi, Scope::write});
  const Caller reads_only = make_caller("carl", Role::writer, {Scope::read});
  const Caller stranger = make_caller("nemo", Role::none, {Scope::kpi});
  EXPECT_EQ(only_refusal(record(reader, {event("a.dst", 1)})),
            ErrorCode::permission_denied);
  EXPECT_EQ(only_refusal(record(reads_only, {event("a.dst", 1)})),
            ErrorCode::permission_denied);
  EXPECT_EQ(only_refusal(record(stranger, {event("a.dst", 1)})), ErrorCode::not_found);
}

TEST_F(KpiRecorder, LetsAWriterOfOneNamespaceRecordForAKpiOfSeveral) {
  make_namespace("cms");
  define("both", {{"namespaces", {"lhcb", "cms"}}});
  const Caller writer = make_caller("wanda", Role::writer);
  EXPECT_EQ(record(writer, {event("a.dst", 1, {{"kpi", "both"}})}).accepted, 1u);
}

// --- What is stored ---------------------------------------------------------------------

TEST_F(KpiRecorder, StoresWhatItsHashIsOver) {
  publish_model("weights");
  define("signed", {{"allow_negative", true}});
  const std::vector<json> rows{
      event("é\"\\{},.dst", 0.1,
            {{"model", "lhcb/lamarr:1"},
             {"subject", {{"site", "CNAF \"T1\""}, {"decay", "B→μμ"}}},
             {"evidence",
              {"https://example.org/a?b={c},\\d", "root://eos.example.org//f.dst"}},
             {"resources", {{"cpu_seconds", 12.5}, {"energy_kwh", 1e-9}}},
             {"occurred_at", "2024-02-12T10:00:00.000001Z"}}),
      event("b", 1e18),
      event("c", 123456789.123456789),
      event("d", 0),
      event("e", -1.5, {{"kpi", "signed"}}),
      correction("f", "b", 0.30000000000000004)};
  EXPECT_EQ(record(rows).accepted, rows.size());
  const auto stored = chained_rows();
  ASSERT_THAT(stored, SizeIs(rows.size()));
  for (const auto& row : stored) {
    EXPECT_EQ(ledger_entry_of(row).hash(), row.hash) << ledger_entry_of(row).canonical();
  }
  EXPECT_EQ(ledger_entry_of(stored[1]).canonical(),
            R"({"event_id":"b","kpi":"events","namespace":"lhcb",)"
            R"("occurred_at":"2024-02-12T10:00:00Z","value":1000000000000000000})");
}

TEST_F(KpiRecorder, DigestsABatchInTheOrderOfItsEntries) {
  record({event("b", 1), event("a", 2), event("c", 3)});
  record({event("z", 1), event("a", 2), event("b", 4), event("y", 3)});
  const auto rows = chained_rows();
  ASSERT_THAT(rows, SizeIs(5));
  static constexpr schema::Statement kBatches{"test_batches", R"sql(
    select entry_count, digest from kpi_batch order by sequence
  )sql"};
  const auto digest_of = [&](std::size_t first, std::size_t last) {
    std::string hashes;
    for (std::size_t i = first; i < last; ++i) hashes += as_text(rows[i].hash.bytes());
    return Digest::of(hashes);
  };
  test_database.database().read("look at batches", [&](schema::Transaction& tx) {
    const auto batches = tx.exec(kBatches);
    ASSERT_EQ(batches.size(), 2);
    EXPECT_EQ(schema::at<Digest>(batches[0], "digest"), digest_of(0, 3));
    EXPECT_EQ(schema::at<Digest>(batches[1], "digest"), digest_of(3, 5));
    EXPECT_EQ(schema::at<std::int32_t>(batches[1], "entry_count"), 2);
  });
  EXPECT_EQ(rows[0].event_id, "b");
  EXPECT_EQ(rows[4].event_id, "y");
}

TEST_F(KpiRecorder, ListsWhatIsChainedInPages) {
  record({event("a", 1), event("b", 2)});
  auto& list = registry.ledger_entries;
  EXPECT_THAT(list.list(admin, {}, {.limit = 10, .after = {}}).items, IsEmpty());
  registry.chainer.close_book(registry.clock.now());
  define("talks", {{"count", "entries"}});
  record({event("c", 1, {{"kpi", "talks"}})});
  registry.chainer.chain_some();

  std::vector<std::string> seen;
  std::optional<std::string> after;
  do {
    const auto page = list.list(admin, {}, {.limit = 1, .after = after});
    ASSERT_THAT(page.items, SizeIs(1));
    seen.push_back(page.items[0].entry.event_id);
    after = page.next;
  } while (after);
  EXPECT_THAT(seen, ElementsAre("a", "b", "c"));

  const LedgerEntries::Question of_talks{.kpi = kpi_id("talks"), .ns = std::nullopt};
  EXPECT_THAT(list.list(admin, of_talks, {.limit = 10, .after = {}}).items, SizeIs(1));
  const Caller stranger = make_caller("nemo", Role::none);
  EXPECT_THAT(list.list(stranger, {}, {.limit = 10, .after = {}}).items, IsEmpty());
  EXPECT_EQ(error_of([&] { list.list(stranger, of_talks, {.limit = 10, .after = {}}); }),
            ErrorCode::not_found);
  EXPECT_EQ(error_of([&] { list.list(admin, {}, {.limit = 10, .after = "1"}); }),
            ErrorCode::invalid_argument);
}

// --- Many at once -----------------------------------------------------------------------

// Events and a correction of each; what remains of them is known.
class KpiRecorderUnderLoad : public KpiRecorder {
 protected:
  static constexpr int kEvents = 300;
  static constexpr int kThreads = 8;

  static std::vector<json> all_rows() {
    std::vector<json> rows;
    for (int i = 0; i < kEvents; ++i) {
      const std::string id = "file-" + std::to_string(i);
      rows.push_back(event(id, 10));
      rows.push_back(correction("fix-" + std::to_string(i), id, i % 3));
    }
    return rows;
  }
  Sums expected() const { return {std::to_string(kEvents), kEvents * 2 / 3, kEvents * 2}; }

  // Events and corrections in an order of their own, in batches. Corrections of events that
  // are not there yet are refused, and sent again.
  void send_all(unsigned seed) {
    auto rows = all_rows();
    std::mt19937 random(seed);
    std::ranges::shuffle(rows, random);
    while (!rows.empty()) {
      const std::size_t size = std::min<std::size_t>(rows.size(), 1 + random() % 60);
      const std::vector<json> batch(rows.end() - static_cast<std::ptrdiff_t>(size),
                                    rows.end());
      rows.resize(rows.size() - size);
      for (const auto& refusal : record(batch).refusals) {
        ASSERT_EQ(refusal.error.code(), ErrorCode::not_found) << refusal.error.what();
        rows.insert(rows.begin(), batch[refusal.index]);
      }
    }
  }
};

TEST_F(KpiRecorderUnderLoad, CountsEachOnceWhoeverSendsItAndInWhateverOrder) {
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([this, i] { send_all(static_cast<unsigned>(i)); });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(sums(), expected());
  const auto rows = chained_rows();
  ASSERT_THAT(rows, SizeIs(static_cast<std::size_t>(kEvents * 2)));
}

TEST_F(KpiRecorderUnderLoad, CountsEachOnceThoughConnectionsBreak) {
  static constexpr schema::Statement kBreakOthers{"test_break_connections", R"sql(
    select pg_terminate_backend(pid) from pg_stat_activity
     where datname = current_database() and pid <> pg_backend_pid()
       and query like '%kpi_entry%'
  )sql"};
  std::atomic<bool> done = false;
  std::atomic<int> broken = 0;
  schema::Database breaking(test_database.url(), 1);
  std::thread breaker([&] {
    while (!done) {
      breaking.transact("break connections", [&](schema::Transaction& tx) {
        broken += static_cast<int>(tx.exec(kBreakOthers).size());
      });
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  });
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([this, i] {
      const auto rows = all_rows();
      for (std::size_t at = 0; at < rows.size();) {
        const std::size_t end =
            std::min(rows.size(), at + 20 + static_cast<std::size_t>(i));
        try {
          const auto first = rows.begin();
          record({first + static_cast<std::ptrdiff_t>(at),
                  first + static_cast<std::ptrdiff_t>(end)});
          at = end;
        } catch (const Error&) {
          std::this_thread::yield();  // sent again
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  done = true;
  breaker.join();
  EXPECT_GT(broken, 0);
  const auto outcome = record(all_rows());
  EXPECT_EQ(outcome.duplicates, static_cast<std::size_t>(kEvents * 2));
  EXPECT_EQ(sums(), expected());
}

}  // namespace
}  // namespace mendel::registry
