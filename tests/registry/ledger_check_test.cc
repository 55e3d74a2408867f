#include "registry/services/ledger/ledger_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <ostream>
#include <string>
#include <thread>
#include <vector>

#include "registry/services/ledger/amount.h"
#include "registry/services/ledger/anchors.h"
#include "registry/services/ledger/chainer.h"
#include "registry/services/ledger/definition.h"
#include "registry/services/ledger/entry.h"
#include "registry/services/ledger/roll_up.h"
#include "schema/ledger_entries.h"
#include "storage/base/sha256.h"
#include "storage/memory_object_store.h"
#include "storage/object_keys.h"
#include "tests/registry/ledger_fixture.h"

namespace mendel::registry {
namespace {

using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const Timestamp kDay = parse_rfc3339("2024-02-01T12:00:00.5Z");

// A ledger of some batches with real hashes, chained, summed up and anchored.
class AuditedLedger : public LedgerTest {
 protected:
  AuditedLedger() {
    tell(R"sql(
      insert into kpi (id, name, revision, created_at) overriding system value
      values (1, 'KPI1', 1, '2024-01-01');
      insert into namespace (id, name, description, visibility) overriding system value
      values (1, 'lhcb', '', 'private'))sql");
    Counting counting;
    counting.kpi_id = 1;
    counting.keys = {"experiment", "site"};
    testing::insert_counting(database(), 1, counting.rule());
  }

  static LedgerEntry event(const std::string& id, double value) {
    LedgerEntry entry;
    entry.kpi = "KPI1";
    entry.ns = "lhcb";
    entry.event_id = id;
    entry.value = Amount::of(value);
    entry.occurred_at = kDay;
    entry.subject = {{"experiment", "LHCb \"Run 3\""}, {"site", "CNAF"}};
    entry.evidence = {"https://example.org/" + id};
    entry.cpu_seconds = Amount::of(12.5);
    entry.energy_kwh = Amount::of(0.001);
    return entry;
  }

  static LedgerEntry correction(const std::string& id, const std::string& of,
                                double value) {
    LedgerEntry entry;
    entry.kpi = "KPI1";
    entry.ns = "lhcb";
    entry.event_id = id;
    entry.value = Amount::of(value);
    entry.corrects = of;
    entry.reason = "counted wrong";
    return entry;
  }

  // previous: of each correction, the value that it takes the place of.
  void record(const std::vector<LedgerEntry>& entries, double previous = 0) {
    database().transact("record a batch", [&](schema::Transaction& tx) {
      const auto batch = schema::next_kpi_batch(tx);
      std::vector<schema::NewLedgerEntry> rows;
      Sha256 digest;
      for (const LedgerEntry& entry : entries) {
        rows.push_back(row_of(entry, previous));
        rows.back().position = static_cast<std::int32_t>(rows.size()) - 1;
        digest.update(rows.back().hash.bytes());
      }
      schema::insert_ledger_entries(tx, batch, rows);
      schema::insert_kpi_batch(tx, {.id = batch,
                                    .entry_count = static_cast<std::int32_t>(rows.size()),
                                    .digest = digest.finish(),
                                    .received_at = clock.now(),
                                    .principal_id = 1});
    });
    chainer.chain_some();
  }

  static schema::NewLedgerEntry row_of(const LedgerEntry& entry, double previous) {
    const LedgerEntry of = entry.is_correction() ? event("", 0) : entry;
    schema::NewLedgerEntry row;
    row.key = {.kpi_id = 1, .namespace_id = 1, .event_id = entry.event_id};
    row.occurred_at = kDay;
    row.value = entry.value.text();
    row.previous = entry.is_correction() ? Amount::of(previous).text() : "0";
    row.weight = static_cast<int>(!entry.value.is_zero()) -
                 static_cast<int>(entry.is_correction() && previous != 0);
    if (entry.is_correction()) row.corrects = entry.corrects;
    if (entry.is_correction()) row.reason = entry.reason;
    row.subject = nlohmann::json(of.subject).dump();
    row.evidence = entry.evidence;
    if (entry.cpu_seconds) row.cpu_seconds = entry.cpu_seconds->text();
    if (entry.energy_kwh) row.energy_kwh = entry.energy_kwh->text();
    row.hash = entry.hash();
    return row;
  }

  void record_some() {
    record({event("a", 10), event("b", 20)});
    record({event("c", 0.1)});
    anchors.anchor_head();
    record({correction("fix a", "a", 7)}, 10);
    clock.advance(24h);
    record({event("d", 0)});
    record({correction("fix d", "d", 3)}, 0);
    record({correction("no b", "b", 0)}, 20);
    anchors.anchor_head();
    roll_up.roll_up();
  }

  std::vector<std::string> problems() { return check.run().problems; }

  storage::MemoryObjectStore objects;
  Chainer chainer{database(), clock};
  Anchors anchors{chainer, objects};
  RollUp roll_up{database()};
  LedgerCheck check{database(), anchors};
};

// --- What is as it should be ------------------------------------------------------------

using LedgerCheckTest = AuditedLedger;

TEST_F(LedgerCheckTest, AnEmptyLedgerIsSound) {
  const auto report = check.run();
  EXPECT_EQ(report.batches, 0);
  EXPECT_EQ(report.head, ChainHead());
  EXPECT_THAT(report.problems, IsEmpty());
}

TEST_F(LedgerCheckTest, ALedgerThatNobodyTouchedIsSound) {
  record_some();
  const auto report = check.run();
  EXPECT_THAT(report.problems, IsEmpty());
  EXPECT_EQ(report.batches, 6);
  EXPECT_EQ(report.entries, 7);
  EXPECT_EQ(report.head, chainer.head());
}

TEST_F(LedgerCheckTest, IsReadInPieces) {
  for (int batch = 0; batch < 4; ++batch) {
    std::vector<LedgerEntry> entries;
    for (int i = 0; i < 2000; ++i)
      entries.push_back(event(std::to_string(batch) + "-" + std::to_string(i), i));
    record(entries);
  }
  const auto report = check.run();
  EXPECT_THAT(report.problems, IsEmpty());
  EXPECT_EQ(report.entries, 8000);
}

TEST_F(LedgerCheckTest, TellsOfAThousandProblemsAndCountsTheRest) {
  std::vector<LedgerEntry> entries;
  for (int i = 0; i < 1500; ++i) entries.push_back(event(std::to_string(i), i));
  record(entries);
  tell("update kpi_entry set evidence = '{https://other.example}'");
  const auto found = problems();
  ASSERT_THAT(found, SizeIs(LedgerCheck::kProblemsMax + 1));
  EXPECT_EQ(found.back(), "and 500 more");
}

// Goal: a ledger that is being written is not taken for one that was tampered with.
TEST_F(LedgerCheckTest, MayRunWhileEntriesAreRecorded) {
  std::jthread writer([this](std::stop_token stop) {
    for (int i = 0; !stop.stop_requested(); ++i) {
      record({event(std::to_string(i), 1)});
      anchors.anchor_head();
      roll_up.roll_up();
    }
  });
  for (int round = 0; round < 10; ++round) EXPECT_THAT(problems(), IsEmpty());
}

TEST_F(LedgerCheckTest, AnAnchorWithAnotherHashIsTold) {
  record_some();
  anchors.anchor({.sequence = 2, .entry_count = 3, .recorded_at = {}, .hash = {}});
  EXPECT_THAT(problems(), ElementsAre(HasSubstr("batch 2: the object store has an anchor "
                                                "of it with another hash")));
}

// --- What somebody did to it ------------------------------------------------------------

struct Tampering {
  const char* name;
  const char* sql;
  const char* problem;
};
void PrintTo(const Tampering& tampering, std::ostream* out) { *out << tampering.name; }

class TamperedLedger : public AuditedLedger,
                       public ::testing::WithParamInterface<Tampering> {};

TEST_P(TamperedLedger, IsFoundOut) {
  record_some();
  tell(GetParam().sql);
  EXPECT_THAT(problems(), Contains(HasSubstr(GetParam().problem)));
}

const std::vector<Tampering> kTamperings{
    {"AnAlteredValue", "update kpi_entry set value = 99, amount = 99 where event_id = 'b'",
     "KPI KPI1, event b of lhcb, batch 1: it is not what was recorded"},
    {"AnAlteredAmount", "update kpi_entry set amount = 99 where event_id = 'b'",
     "event b of lhcb, batch 1: it does not count as its value says"},
    {"AnAlteredWeight", "update kpi_entry set weight = 0 where event_id = 'c'",
     "event c of lhcb, batch 2: it does not count as its value says"},
    {"AnAlteredSubject", R"sql(
      update kpi_entry set subject = '{"site": "CERN"}' where event_id = 'c')sql",
     "event c of lhcb, batch 2: it is not what was recorded"},
    {"AnAlteredTime",
     "update kpi_entry set occurred_at = occurred_at + interval '1 us' where event_id = "
     "'c'",
     "event c of lhcb, batch 2: it is not what was recorded"},
    {"AnAlteredModel", "update kpi_entry set version_id = 1 where event_id = 'c'",
     "event c of lhcb, batch 2: it is not what was recorded"},
    {"AlteredEvidence", "update kpi_entry set evidence = '{}' where event_id = 'c'",
     "event c of lhcb, batch 2: it is not what was recorded"},
    {"AlteredResources", "update kpi_entry set cpu_seconds = 1 where event_id = 'c'",
     "event c of lhcb, batch 2: it is not what was recorded"},
    {"AnAlteredReason", "update kpi_entry set reason = 'x' where event_id = 'fix a'",
     "event fix a of lhcb, batch 3: it is not what was recorded"},
    {"AnAlteredRowAndItsHash",
     "update kpi_entry set value = 99, hash = sha256('99') where event_id = 'c'",
     "batch 2: its entries are not those that were recorded"},
    {"AnAlteredCorrection", "update kpi_entry set amount = 1 where event_id = 'fix a'",
     "event fix a of lhcb, batch 3: after this correction its event does not count"},
    {"ACorrectionElsewhere",
     "update kpi_entry set occurred_at = '2024-01-01' where event_id = 'fix a'",
     "event fix a of lhcb, batch 3: it is not a correction of an event of that time"},
    {"ACorrectionOfNothing", "update kpi_entry set event_id = 'z' where event_id = 'a'",
     "event fix a of lhcb, batch 3: it is not a correction of an event"},
    {"ARemovedRow", "delete from kpi_entry where event_id = 'b'",
     "batch 1: it has 1 entries instead of 2"},
    {"ARemovedRowThatIsNotMissed", R"sql(
      delete from kpi_entry where event_id = 'b';
      update kpi_batch
         set entry_count = 1,
             digest = sha256((select hash from kpi_entry where event_id = 'a'))
       where sequence = 1)sql",
     "batch 1: its hash is not that of its row"},
    {"AnAddedRow", R"sql(
      insert into kpi_entry (batch_id, position, kpi_id, namespace_id, event_id, occurred_at,
                             value, amount, weight, hash)
      select batch_id, 7, kpi_id, namespace_id, 'new', occurred_at, value, amount, weight,
             hash
        from kpi_entry where event_id = 'c')sql",
     "batch 2: it has 2 entries instead of 1"},
    {"SwappedRows", R"sql(
      update kpi_entry set position = 9 where event_id = 'a';
      update kpi_entry set position = 0 where event_id = 'b')sql",
     "batch 1: its entries are not those that were recorded, or in another order"},
    {"RowsOfNoBatch", "delete from kpi_batch where sequence = 2",
     "event c of lhcb, batch 0: its batch is missing"},
    {"ARemovedBatch", R"sql(
      delete from kpi_entry where event_id = 'c';
      delete from kpi_batch where sequence = 2)sql",
     "batch 2 is missing"},
    {"RemovedBatches", R"sql(
      delete from kpi_entry where event_id in ('c', 'fix a');
      delete from kpi_batch where sequence in (2, 3))sql",
     "batches 2 to 3 are missing"},
    {"ARemovedBatchThatIsNotMissed", R"sql(
      delete from kpi_entry where event_id = 'c';
      delete from kpi_batch where sequence = 2;
      update kpi_batch set sequence = sequence - 1, entries_through = entries_through - 1
       where sequence = 3)sql",
     "batch 2: its hash is not that of its row and of the batch before it"},
    {"AnAlteredRecording",
     "update kpi_batch set recorded_at = '2024-02-12' where sequence = 1",
     "batch 1: its hash is not that of its row"},
    {"ARecordingBeforeTheLast",
     "update kpi_batch set recorded_at = '2024-02-12' where sequence = 4",
     "batch 4: it was recorded before the batch before it"},
    {"AnAlteredCount", "update kpi_batch set entries_through = 9 where sequence = 3",
     "batch 3: the number of entries up to it is wrong"},
    {"ARemovedTail", R"sql(
      delete from kpi_entry where event_id = 'no b';
      delete from kpi_batch where sequence = 6)sql",
     "the head of the chain, at batch 6 with 7 entries, is not its last batch, 5 with 6"},
    {"ARemovedTailThatIsNotMissed", R"sql(
      delete from kpi_entry where event_id = 'no b';
      delete from kpi_batch where sequence = 6;
      update kpi_head set sequence = 5, entry_count = 6,
                          hash = (select hash from kpi_batch where sequence = 5))sql",
     "batches were cut off: the object store has an anchor of batch 6, and the chain ends "
     "with batch 5"},
    {"AnAlteredHead", "update kpi_head set entry_count = 8",
     "the head of the chain, at batch 6 with 8 entries, is not its last batch, 6 with 7"},
    {"ADifferentHead", "update kpi_head set hash = sha256('')",
     "the head of the chain, at batch 6 with 7 entries, is not its last batch"},
    {"AnAlteredSum", R"sql(
      update kpi_sum set amount = amount + 1 where key = 'site')sql",
     "KPI KPI1: the sum of 2024-02-01 by site CNAF is not that of its entries"},
    {"AnAlteredSumOfAll", "update kpi_sum set cpu_seconds = 0",
     "KPI KPI1: the sum of 2024-02-01 is not that of its entries"},
    {"ARemovedSum", "delete from kpi_sum where key = ''",
     "KPI KPI1: the sum of 2024-02-01 is not that of its entries"},
    {"AnAddedSum", R"sql(
      insert into kpi_sum (counting_id, key, value, version_id, occurred_on, recorded_on,
                           amount, weight, entries)
      select id, 'site', 'CERN', 0, '2024-02-02', '2024-02-13', 5, 1, 1
        from kpi_counting)sql",
     "KPI KPI1: the sum of 2024-02-02 by site CERN is not that of its entries"},
    {"AnAlteredLink",
     "update kpi_link set link = 'https://other.example' where link like "
     "'%/c'",
     "KPI KPI1: evidence is not that of its entries, https://other.example"},
};

INSTANTIATE_TEST_SUITE_P(By, TamperedLedger, ::testing::ValuesIn(kTamperings),
                         [](const auto& tampering) {
                           return std::string(tampering.param.name);
                         });

// --- Anchors ----------------------------------------------------------------------------

using AnchorsTest = AuditedLedger;

TEST_F(AnchorsTest, SayWhereTheChainEnds) {
  record({event("a", 1)});
  anchors.anchor_head();
  anchors.anchor_head();
  const ChainHead head = chainer.head();
  EXPECT_THAT(anchors.list("", 10),
              ElementsAre(storage::AnchorName{head.sequence, head.hash}));

  const std::string key = storage::anchor_key({head.sequence, head.hash});
  std::string document(1000, '\0');
  document.resize(objects.read(key, 0, std::as_writable_bytes(std::span(document))));
  EXPECT_EQ(document, R"({"entries":1,"hash":")" + head.hash.to_string() +
                          R"(","recorded_at":"2024-02-13T00:00:00Z","sequence":1})");
}

TEST_F(AnchorsTest, AnEmptyChainNeedsNone) {
  anchors.anchor_head();
  EXPECT_THAT(anchors.list("", 10), IsEmpty());
}

TEST_F(AnchorsTest, AreWrittenAtTheLatestWhenTheServerStops) {
  anchors.start();
  record({event("a", 1)});
  anchors.stop();
  EXPECT_THAT(anchors.list("", 10), SizeIs(1));
}

TEST_F(AnchorsTest, AreListedInPages) {
  for (std::int64_t sequence = 1; sequence <= 25; ++sequence)
    anchors.anchor({.sequence = sequence, .entry_count = 0, .recorded_at = {}, .hash = {}});
  const auto object = objects.create();
  object->commit(std::string(storage::kAnchorPrefix) + "00000000000000000003-other");

  std::vector<std::int64_t> sequences;
  std::string after;
  for (;;) {
    const auto page = anchors.list(after, 4);
    for (const auto& anchor : page) sequences.push_back(anchor.sequence);
    if (page.size() < 4) break;
    after = storage::anchor_key(page.back());
  }
  ASSERT_THAT(sequences, SizeIs(25));
  EXPECT_TRUE(std::ranges::is_sorted(sequences));
}

}  // namespace
}  // namespace mendel::registry
